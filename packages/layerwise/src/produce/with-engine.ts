// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../plan/chain.ts";
import type { BaseImage } from "../plan/facts.ts";
import type { EngineWork, Plan, StageStart } from "../plan/plan.ts";
import type { Ports, Repository } from "../ports.ts";
import type { Digest } from "../spec/digest.ts";
import { formatRepository } from "../spec/reference.ts";
import { type EngineSurroundings, runEngine } from "./engine-build.ts";
import type { EngineImage } from "./engine-layers.ts";
import { followEngine } from "./engine-progress.ts";
import { chainConfig, type Image, type ImageLayer, imageOf, storedLayers } from "./image.ts";
import { configDifference, type MadeChain, matchLayers } from "./match-layers.ts";
import { pinnedDockerfile, type Residual, type ResidualStart, residualOf, unchangedDockerfile } from "./residual.ts";
import { resumeImage } from "./resume-image.ts";
import { startFailure } from "./start-failure.ts";

/** What came of an engine build. */
export interface EngineOutcome {
  readonly image: Image;
  /** What was built; all of it if continuing from checkpoints did not work out. */
  readonly work: EngineWork;
  /** Undefined if the result could not be matched to the chain with certainty; `doubt` says why. */
  readonly made: MadeChain | undefined;
  readonly doubt: string | undefined;
}

/** Has the engine build what is left of a target, and completes the image from it. */
export async function produceWithEngine(
  plan: Plan,
  work: EngineWork,
  around: EngineSurroundings,
): Promise<EngineOutcome> {
  const stage = work.chain.stage;
  const isCold = [...work.starts.values()].every((start) => start.kind === "begin");
  const residual = await residualFor(plan, work, { around, isCold });
  const again = async (why: string) => {
    around.emit({ kind: "warning", message: `${why}; building the whole Dockerfile` });
    return await produceWithEngine(plan, { ...work, starts: begun(work) }, around);
  };
  const building = build(work, { residual, stage, around, labels: around.settings.labels });
  const built = isCold ? await building : await building.catch(unlessStarted);
  if (typeof built === "string") return await again(`the engine could not continue a checkpoint (${built})`);
  const now = around.ports.clock.now();
  const made = matchLayers(built, { chain: work.chain, start: startOf(work, work.chain), now });
  if (typeof made === "string" && !isCold) return await again(`the result does not continue its checkpoint (${made})`);
  const family = work.chain.base?.family ?? "oci";
  if (typeof made === "string") return { work, image: engineOwn(built, family), made: undefined, doubt: made };
  const config = chainConfig(work.chain, {
    diffIds: built.config.diffIds,
    times: made.times,
    labels: around.settings.labels,
  });
  const difference = configDifference(config, built.config);
  if (isCold) {
    const doubt = difference === undefined ? undefined : `the engine's config differs in ${difference}`;
    return { work, image: engineOwn(built, family), made: doubt === undefined ? made : undefined, doubt };
  }
  return { work, image: imageOf(family, { config, layers: built.layers }), made, doubt: undefined };
}

/** A checkpoint that the engine cannot read is as good as none. */
function unlessStarted(error: unknown): string {
  const why = startFailure(error);
  if (why === undefined) throw error;
  return why;
}

/** Has the engine give out a stage that it has built before as part of a target, for checkpoints of its own. */
export async function produceStage(
  plan: Plan,
  work: EngineWork,
  { stage, around }: { stage: number; around: EngineSurroundings },
): Promise<MadeChain | string> {
  const isCold = [...work.starts.values()].every((start) => start.kind === "begin");
  const residual = await residualFor(plan, work, { around, isCold });
  if (!residual.names.has(stage)) return "the stage has no name that an engine can be asked for";
  const built = await build(work, { residual, stage, around, labels: new Map() });
  const chain = work.chains.get(stage) as Chain;
  return matchLayers(built, { chain, start: startOf(work, chain), now: around.ports.clock.now() });
}

/** Has the engine build a Dockerfile that could not be evaluated, as it is. */
export async function produceWhole(
  { dockerfile }: Plan,
  {
    target,
    noCache,
    around,
  }: { target: string | undefined; noCache: boolean | readonly string[]; around: EngineSurroundings },
): Promise<Image> {
  const request = { ...around.settings, dockerfile: dockerfile.text, target, noCache };
  const built = await runEngine(request, { around, prefers: "push", known: new Map() });
  return engineOwn(built, built.family ?? "docker");
}

function engineOwn({ config, configBytes, layers }: EngineImage, family: Image["family"]): Image {
  return imageOf(family, { config, layers, configBytes });
}

function begun({ starts }: EngineWork): ReadonlyMap<number, StageStart> {
  // Stages that a checkpoint stood for are needed again, and those below them.
  return new Map([...starts].map(([stage]) => [stage, { kind: "begin" } as const]));
}

type ResumedStart = Extract<StageStart, { kind: "checkpoint" }>;

async function residualFor(
  { dockerfile }: Plan,
  work: EngineWork,
  { around, isCold }: { around: EngineSurroundings; isCold: boolean },
): Promise<Residual> {
  const input = { dockerfile, stages: work.stages, pins: pinsOf(work) };
  if (around.settings.context.kind === "tar") return unchangedDockerfile(input);
  if (isCold) return pinnedDockerfile(input);
  const starts = new Map<number, ResidualStart>();
  for (const [stage, start] of work.starts) {
    const chain = work.chains.get(stage) as Chain;
    const { signal } = around;
    const cache = around.cache as Repository;
    const resumed = async () =>
      await resumeImage(chain, { start: start as ResumedStart, cache, buildArgs: work.buildArgs, signal });
    starts.set(stage, start.kind === "begin" ? start : await resumed());
  }
  return residualOf({ ...input, starts });
}

/** The engine must see what planning saw, also if a tag moves in between or the engine holds an older image. */
function pinsOf({ images }: EngineWork): ReadonlyMap<string, string> {
  const pins = new Map<string, string>();
  for (const { reference, location, digest } of images) {
    if (location.kind === "registry") pins.set(reference, `${formatRepository(location.name)}@${digest}`);
  }
  return pins;
}

interface Building {
  readonly residual: Residual;
  readonly stage: number;
  readonly around: EngineSurroundings;
  readonly labels: ReadonlyMap<string, string>;
}

async function build(work: EngineWork, { residual, stage, around, labels }: Building): Promise<EngineImage> {
  const target = residual.names.get(stage);
  const request = { ...around.settings, labels, dockerfile: residual.text, target, noCache: work.noCache };
  const progress = followEngine(residual, around.emit);
  try {
    const known = knownLayers(work, around);
    const image = await runEngine(request, { around: { ...around, emit: progress.emit }, prefers: undefined, known });
    await around.checkContext(work.content);
    return image;
  } catch (error) {
    throw progress.located(error);
  }
}

/** Layers of bases and checkpoints, by diff ID. */
function knownLayers(work: EngineWork, { ports, cache }: EngineSurroundings): ReadonlyMap<Digest, ImageLayer> {
  const known: ImageLayer[] = [];
  for (const { base } of work.stages.values()) {
    if (base.kind !== "image") continue;
    const { layers, config } = base.image;
    known.push(...storedLayers(repositoryOf(base.image, ports), { layers, diffIds: config.diffIds }));
  }
  for (const start of work.starts.values()) {
    if (start.kind === "begin" || cache === undefined) continue;
    const { layers, config } = start.recalled.checkpoint;
    known.push(...storedLayers(cache, { layers, diffIds: config.diffIds }));
  }
  return new Map(known.map((layer) => [layer.diffId, layer]));
}

/** The repository that a base image is in. */
export function repositoryOf({ location }: BaseImage, { repositories }: Pick<Ports, "repositories">): Repository {
  return location.kind === "layout" ? repositories.inLayout(location.path) : repositories.inRegistry(location.name);
}

/** Where the steps of a chain were continued from: the start of its stage, or of a stage below. */
function startOf(work: EngineWork, chain: Chain): StageStart | undefined {
  const own = work.starts.get(chain.stage);
  const below = work.stages.get(chain.stage)?.base;
  if (own?.kind === "checkpoint" || below?.kind !== "stage") return own;
  const parent = work.chains.get(below.stage);
  return parent === undefined ? own : startOf(work, parent);
}
