// SPDX-License-Identifier: Apache-2.0
import type { Emit } from "../event.ts";
import type { Chain } from "../plan/chain.ts";
import type { NamedContexts } from "../plan/named-contexts.ts";
import type { AssembleWork, Plan, Work } from "../plan/plan.ts";
import type { Recalled } from "../plan/recall.ts";
import type { Step } from "../plan/step.ts";
import type { Transplant } from "../plan/transplant.ts";
import type { BuildContext, CallOptions, Ports, Repository } from "../ports.ts";
import type { EngineSurroundings } from "./engine-build.ts";
import {
  chainConfig,
  checkpointTimes,
  type Image,
  type ImageLayer,
  imageOf,
  keptConfig,
  storedLayers,
} from "./image.ts";
import { layerFromFiles } from "./layer-from-files.ts";
import { type EngineOutcome, produceWhole, produceWithEngine, repositoryOf } from "./with-engine.ts";

/** What was made, and what later builds may continue from. */
export interface Produced {
  readonly image: Image;
  /** All layers of the target's chain with their times; undefined if they could not be matched to its steps. */
  readonly chain:
    | {
        readonly chain: Chain;
        readonly layers: readonly ImageLayer[];
        readonly times: readonly string[];
        readonly from: number;
      }
    | undefined;
  /** For the engine's route: what it built, so that its other stages can be saved. */
  readonly engine: EngineOutcome | undefined;
  readonly doubt: string | undefined;
}

/** What producing needs from the options of a build. */
export interface ProduceOptions extends CallOptions {
  readonly context: BuildContext;
  readonly directories?: NamedContexts["directories"];
  readonly labels: ReadonlyMap<string, string>;
  readonly cache: Repository | undefined;
  readonly noCache: boolean | readonly string[];
}

interface Around {
  readonly options: ProduceOptions;
  readonly engine: EngineSurroundings;
  readonly ports: Ports;
  readonly emit: Emit;
}

/** Follows a plan: reuses, assembles, or has an engine execute what is left. */
export async function produce(plan: Plan, around: Around): Promise<Produced> {
  const { work } = plan;
  switch (work.kind) {
    case "reuse":
      return reuse(work, around);
    case "assemble":
      return await assemble(work, around);
    case "engine": {
      const outcome = await produceWithEngine(plan, work, around.engine);
      return { image: outcome.image, chain: outcome.made, engine: outcome, doubt: outcome.doubt };
    }
    case "whole": {
      const { noCache } = around.options;
      const image = await produceWhole(plan, { target: work.target, noCache, around: around.engine });
      return { image, chain: undefined, engine: undefined, doubt: undefined };
    }
  }
}

function reuse({ chain, start }: Extract<Work, { kind: "reuse" }>, around: Around): Produced {
  const layers = layersBelow(chain, { start, around });
  const times = checkpointTimes(chain, start);
  const image = chainImage(chain, { layers, times, start, around });
  return { image, chain: { chain, layers, times, from: chain.steps.length }, engine: undefined, doubt: undefined };
}

async function assemble({ chain, start, layers: drafts }: AssembleWork, around: Around): Promise<Produced> {
  const { ports, emit, options } = around;
  const layers = [...layersBelow(chain, { start, around })];
  const now = new Date(ports.clock.now()).toISOString();
  const times = [...checkpointTimes(chain, start)];
  for (const { step, files, transplant } of drafts) {
    times.push(now);
    if (transplant !== undefined) {
      layers.push(transplantedLayer(transplant));
      continue;
    }
    const started = ports.clock.ticks();
    const context = contextOf(step.step, options);
    const layer = await layerFromFiles(files, { context, spool: ports.spool, signal: options.signal });
    layers.push(layer);
    emit({
      kind: "layer-assembled",
      stage: step.step.stage,
      step: positionInStage(chain, step),
      text: step.step.text,
      files: files.length,
      bytes: layer.descriptor.size,
      duration: ports.clock.ticks() - started,
    });
  }
  const image = chainImage(chain, { layers, times, start: undefined, around });
  return { image, chain: { chain, layers, times, from: start?.position ?? 0 }, engine: undefined, doubt: undefined };
}

function transplantedLayer({ descriptor, repository, files }: Transplant): ImageLayer {
  return { descriptor, diffId: files.diffId, source: { kind: "repository", repository } };
}

/** Where the files of a step are: in the build context, or in a directory that has a name. */
function contextOf(step: Step, { context, directories }: ProduceOptions): BuildContext {
  const name = "from" in step && step.from.kind === "context" ? step.from.name : undefined;
  return name === undefined ? context : (directories?.get(name) as BuildContext);
}

/** Where a step stands among those of its own stage. */
function positionInStage(chain: Chain, wanted: Chain["steps"][number]): number {
  return chain.steps.filter(({ step }) => step.stage === wanted.step.stage).indexOf(wanted);
}

interface ChainImage {
  readonly layers: readonly ImageLayer[];
  readonly times: readonly string[];
  readonly start: Recalled | undefined;
  readonly around: Around;
}

function chainImage(chain: Chain, { layers, times, start, around }: ChainImage): Image {
  const diffIds = layers.map((layer) => layer.diffId);
  const config = chainConfig(chain, { diffIds, times, labels: around.options.labels });
  const kept = keptConfig(config, start?.checkpoint);
  return imageOf(chain.base?.family ?? "oci", {
    config: kept?.config ?? config,
    layers,
    configBytes: kept?.configBytes,
  });
}

/** The layers that are there already: the checkpoint's, or the base's. */
function layersBelow(
  chain: Chain,
  { start, around }: { start: Recalled | undefined; around: Around },
): readonly ImageLayer[] {
  if (start !== undefined) {
    const { layers, config } = start.checkpoint;
    return storedLayers(around.options.cache as Repository, { layers, diffIds: config.diffIds });
  }
  if (chain.base === undefined) return [];
  const { layers, config } = chain.base;
  return storedLayers(repositoryOf(chain.base, around.ports), { layers, diffIds: config.diffIds });
}
