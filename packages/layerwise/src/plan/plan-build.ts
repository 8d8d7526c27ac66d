// SPDX-License-Identifier: Apache-2.0
import type { IgnoreMatcher } from "../dockerfile/ignore.ts";
import type { Dockerfile } from "../dockerfile/instruction.ts";
import type { Emit } from "../event.ts";
import type { BuildContext, CallOptions, Repositories, Repository } from "../ports.ts";
import type { LockedBases } from "../spec/lock-file.ts";
import type { Platform } from "../spec/platform.ts";
import type { Chain, ChainStep } from "./chain.ts";
import { type Draft, draftChains } from "./draft-chains.ts";
import type { BaseImage } from "./facts.ts";
import { gatherArchives } from "./gather-archives.ts";
import { gatherBases, type NamedImages, type WantedImage } from "./gather-bases.ts";
import { gatherFiles, type LocatedLayer } from "./gather-files.ts";
import type { NamedContexts } from "./named-contexts.ts";
import type { EngineWork, Plan, Work } from "./plan.ts";
import { type Recalled, type RecallPolicy, recallDeepest } from "./recall.ts";
import { recallTransplants } from "./recall-transplants.ts";
import { Refusal } from "./refusal.ts";
import { needsOwnConfig, redeclaredArgs, stateAt } from "./resume-config.ts";
import type { RouteReason } from "./route.ts";
import { assembleLeft, engineReasons, mayBeAssembled, stepsLeft } from "./settle.ts";
import { startStages } from "./stage-starts.ts";
import type { Step } from "./step.ts";
import type { StepContent } from "./step-content.ts";
import type { Transplant } from "./transplant.ts";

/** What is to be planned. */
export interface PlanInput extends CallOptions, NamedContexts {
  readonly dockerfile: Dockerfile;
  readonly target: string | undefined;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly context: BuildContext;
  readonly matcher: IgnoreMatcher;
  readonly named: NamedImages;
  /** What images are taken by, whatever their tags point to; undefined: by their tags. */
  readonly locked?: LockedBases | undefined;
  /** Reasons known before: a remote context, a named context in the place of a stage. */
  readonly wholeReason: RouteReason | undefined;
  /** Flags that change what a RUN sees. */
  readonly runOptions: readonly string[];
  readonly repositories: Repositories;
  /** Where checkpoints are; undefined if the build has no place for any. */
  readonly cache: Repository | undefined;
  readonly readOnlyCache: boolean;
  readonly noCache: boolean | readonly string[];
  readonly notBefore: number | undefined;
  readonly emit: Emit;
}

/**
 * Plans a build: what is already there, what is left, and who does it. Reads from registries and the build context,
 * writes nothing.
 */
export async function planBuild(input: PlanInput): Promise<Plan> {
  const { dockerfile, targetPlatform } = input;
  try {
    if (input.wholeReason !== undefined) throw new Refusal(input.wholeReason, "whole");
    const { repositories, named, locked, emit, signal } = input;
    // Not the whole input: it has a platform too, which is not that of every image.
    const lookUp = async (wanted: readonly WantedImage[]) =>
      await gatherBases(wanted, { repositories, named, locked, emit, signal });
    const draft = await draftChains({ ...input, lookUp });
    return await settle(input, draft);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const work: Work = { kind: "whole", target: input.target };
    return {
      dockerfile,
      platform: targetPlatform,
      route: "engine",
      reasons: [error.reason],
      work,
      evaluated: undefined,
    };
  }
}

/** Finds the checkpoint of a chain, once for whoever asks. */
type Recall = (chain: Chain) => Promise<Recalled | undefined>;

function recallOnce(input: PlanInput): Recall {
  const known = new Map<Chain, Promise<Recalled | undefined>>();
  return async (chain) => {
    const recalling = known.get(chain) ?? recall(input, chain);
    known.set(chain, recalling);
    return await recalling;
  };
}

async function settle(input: PlanInput, draft: Draft): Promise<Plan> {
  const { dockerfile } = input;
  const { target } = draft;
  const recalling = recallOnce(input);
  const start = await recalling(target);
  const left = stepsLeft(target, start);
  const about = { dockerfile, platform: target.platform, evaluated: draft };
  if (left.length === 0)
    return { ...about, route: "reuse", reasons: [], work: { kind: "reuse", chain: target, start } };
  const byEngine = async (reasons: readonly RouteReason[]) => await engine(input, draft, { start, reasons, recalling });
  const transplants = mayBeAssembled(left) ? await transplantsFor(left, { input, draft, recalling }) : undefined;
  if (transplants === undefined) return await byEngine(engineReasons(left));
  const below = await filesBelow(input, { chain: target, start });
  if (below.kind === "unreadable") return await byEngine([{ name: "files-unknown", detail: below.why }]);
  const archives = await gatherArchives(contentsOf(left, draft), input);
  const { content } = draft;
  const assembled = assembleLeft(target, { left, below: below.layers, content, archives, transplants });
  if (assembled.kind === "refused") return await byEngine([assembled.reason]);
  const work: Work = { kind: "assemble", chain: target, start, layers: assembled.layers, below };
  return { ...about, route: "assemble", reasons: [], work };
}

/**
 * The recorded layers of the COPY --from steps that are left; undefined if one has none that may be used. Who asks for
 * steps to be made again gets no layer that was made before.
 */
async function transplantsFor(
  left: readonly ChainStep[],
  { input, draft, recalling }: { input: PlanInput; draft: Draft; recalling: Recall },
): Promise<ReadonlyMap<Step, Transplant> | undefined> {
  if (engineReasons(left).length === 0) return new Map();
  const { cache, noCache, emit, signal } = input;
  if (cache === undefined || noCache === true || (noCache !== false && noCache.length > 0)) return undefined;
  const { chains, target: chain } = draft;
  return await recallTransplants(left, { cache, chain, chains, recall: recalling, emit, signal });
}

/** What the steps select that are left. */
function contentsOf(left: readonly ChainStep[], { content }: Draft): readonly StepContent[] {
  return left.map(({ step }) => content.get(step)).filter((one) => one !== undefined);
}

async function recall(input: PlanInput, chain: Chain): Promise<Recalled | undefined> {
  const { cache, emit, signal, dockerfile, noCache, notBefore } = input;
  if (cache === undefined) return undefined;
  const stageNames = new Map(dockerfile.stages.map((stage) => [stage.index, stage.name]));
  const policy: RecallPolicy = { noCache, notBefore, stageNames };
  const found = await recallDeepest(chain, { cache, policy, emit, signal });
  if (found !== undefined) {
    const stage = stageNames.get(chain.stage) ?? String(chain.stage);
    const instruction = chain.steps[found.position - 1]?.step.text ?? "";
    emit({ kind: "checkpoint-found", stage, instruction, tag: found.checkpoint.tag });
  }
  return found;
}

/** The files of all layers below what is left: the base's, and those behind the checkpoint. */
async function filesBelow(
  input: PlanInput,
  { chain, start }: { chain: Chain; start: Recalled | undefined },
): ReturnType<typeof gatherFiles> {
  const { cache, emit, signal } = input;
  const layers = start === undefined ? baseLayers(input, chain.base) : checkpointLayers(cache as Repository, start);
  const lower = chain.base?.layers.length ?? 0;
  return await gatherFiles(layers, { cache, known: start?.checkpoint.files, lower, emit, signal });
}

function checkpointLayers(cache: Repository, { checkpoint }: Recalled): readonly LocatedLayer[] {
  return checkpoint.layers.map((descriptor, index) => ({
    descriptor,
    diffId: checkpoint.config.diffIds[index] as LocatedLayer["diffId"],
    from: cache,
  }));
}

function baseLayers({ repositories }: PlanInput, base: BaseImage | undefined): readonly LocatedLayer[] {
  if (base === undefined) return [];
  const { location } = base;
  const from =
    location.kind === "layout" ? repositories.inLayout(location.path) : repositories.inRegistry(location.name);
  return base.layers.map((descriptor, index) => ({
    descriptor,
    diffId: base.config.diffIds[index] as LocatedLayer["diffId"],
    from,
  }));
}

interface EngineCase {
  readonly start: Recalled | undefined;
  readonly reasons: readonly RouteReason[];
  readonly recalling: Recall;
}

async function engine(input: PlanInput, draft: Draft, { start, reasons, recalling }: EngineCase): Promise<Plan> {
  const { starts, chains } = await startStages(draft, {
    recalled: usable(input, draft.target, start),
    recall: async (other) => usable(input, other, await recalling(other)),
  });
  const { target: chain, stages, images, content } = draft;
  const { buildArgs } = input;
  const noCache = engineNoCache(input);
  const work: EngineWork = { kind: "engine", chain, stages, chains, starts, images, content, buildArgs, noCache };
  const others = [...chains.values()].filter((one) => one !== chain).flatMap((one) => ownReasons(work, one));
  const all = [...reasons, ...others];
  return {
    dockerfile: input.dockerfile,
    platform: chain.platform,
    route: "engine",
    reasons: all,
    work,
    evaluated: draft,
  };
}

/** Why a stage beside the target's needs the engine. */
function ownReasons({ starts }: EngineWork, chain: Chain): readonly RouteReason[] {
  const start = starts.get(chain.stage);
  const done = start?.kind === "checkpoint" ? start.recalled.position : chain.inherited;
  return engineReasons(chain.steps.slice(Math.max(done, chain.inherited)));
}

/**
 * The checkpoint, if an engine can start from it: engines pull from registries only, and read the Dockerfile of a tar
 * from the tar. One with a config to be continued differently needs a copy of it, which must be written.
 */
function usable(input: PlanInput, chain: Chain, start: Recalled | undefined): Recalled | undefined {
  const { cache, context, readOnlyCache } = input;
  if (start === undefined || cache?.isLocal !== false || context.location.kind === "tar") return undefined;
  if (readOnlyCache && needsOwnConfig(chain, start)) return undefined;
  return redeclaredArgs(stateAt(chain, start.position), input.buildArgs) === undefined ? undefined : start;
}

/** Old RUN layers must not come back from the engine's own store either. */
function engineNoCache({ noCache, notBefore }: PlanInput): boolean | readonly string[] {
  return notBefore === undefined ? noCache : true;
}
