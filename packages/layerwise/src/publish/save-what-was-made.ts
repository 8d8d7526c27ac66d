// SPDX-License-Identifier: Apache-2.0
import { hasCode } from "../error.ts";
import type { Emit } from "../event.ts";
import { type Chain, checkpointPositions } from "../plan/chain.ts";
import type { EngineWork, Plan, StageStart } from "../plan/plan.ts";
import type { FileSource } from "../plan/step.ts";
import type { CallOptions, Ports, Repository } from "../ports.ts";
import type { EngineSurroundings } from "../produce/engine-build.ts";
import type { MadeChain } from "../produce/match-layers.ts";
import type { Produced } from "../produce/produce.ts";
import { type EngineOutcome, produceStage } from "../produce/with-engine.ts";
import { type SaveOptions, saveCheckpoints, saveFilesOf } from "./save-checkpoints.ts";
import { recordable, saveTransplants } from "./save-transplants.ts";

/** What saving needs from the options of a build. */
export interface SavingOptions extends CallOptions {
  readonly cache: Repository | undefined;
  readonly readOnlyCache: boolean;
  readonly checkpoints: "all" | "final" | "none";
  readonly version: string;
}

interface Saving {
  readonly options: SavingOptions;
  readonly engine: EngineSurroundings;
  readonly ports: Ports;
  readonly emit: Emit;
}

/**
 * Saves checkpoints for the builds to come, after the image is safe. A failure here costs later builds time and
 * nothing else, so it is a warning.
 */
export async function saveWhatWasMade(plan: Plan, produced: Produced, saving: Saving): Promise<void> {
  const { options, emit } = saving;
  const { cache, readOnlyCache, checkpoints } = options;
  if (cache === undefined || readOnlyCache || checkpoints === "none") return;
  if (produced.doubt !== undefined) {
    emit({ kind: "warning", message: `no checkpoint is saved: ${produced.doubt}` });
    return;
  }
  try {
    const save = saveOptions({ ...saving, cache });
    await saveTarget(plan, produced, save);
    const { engine } = produced;
    if (engine === undefined) return;
    const stages = checkpoints === "all" ? await saveStages(plan, engine, { ...saving, save }) : [];
    const { made: target, work } = engine;
    const { evaluated } = plan;
    if (target !== undefined && evaluated !== undefined)
      await saveTransplants({ target, stages, work, evaluated, ports: saving.ports }, save);
  } catch (error) {
    if (hasCode(error, "CANCELLED")) throw error;
    emit({ kind: "warning", message: `checkpoints could not be saved: ${(error as Error).message}` });
  }
}

function saveOptions({ options, cache, ports, emit }: Saving & { readonly cache: Repository }): SaveOptions {
  const { version, signal } = options;
  return { cache, version, now: ports.clock.now(), listed: new Map(), emit, signal };
}

async function saveTarget({ work }: Plan, { image, chain }: Produced, save: SaveOptions): Promise<void> {
  if (work.kind === "assemble") {
    if (!work.below.isStored) await saveFilesOf(work.below.layers, save);
    // So that a layer that was not made here need not be fetched.
    for (const { transplant } of work.layers)
      if (transplant) save.listed.set(transplant.files.diffId, transplant.files);
  }
  if (chain === undefined) return;
  const published = { descriptor: image.configDescriptor, bytes: image.configBytes };
  await saveCheckpoints({ ...chain, published, wantsFiles: true }, save);
}

/** Stages beside the target's own chain: the engine has them ready and gives them out one by one. */
async function saveStages(
  plan: Plan,
  { work, made: target }: EngineOutcome,
  { engine, emit, save }: Saving & { readonly save: SaveOptions },
): Promise<readonly MadeChain[]> {
  const saved: MadeChain[] = [];
  const copied = new Set((target === undefined ? [] : recordable(target)).flatMap(({ step }) => stagesIn(step.from)));
  for (const stage of stagesWorthSaving(work)) {
    const made = await produceStage(plan, work, { stage, around: engine });
    if (typeof made === "string") {
      emit({ kind: "warning", message: `no checkpoint is saved for stage ${stage}: ${made}` });
      continue;
    }
    const wantsFiles = stagesOf(made.chain).some((one) => copied.has(one));
    await saveCheckpoints({ ...made, published: undefined, wantsFiles }, save);
    saved.push(made);
  }
  return saved;
}

function stagesIn(source: FileSource): readonly number[] {
  return source.kind === "stage" ? [source.stage] : [];
}

/**
 * Stages that executed something and are no part of the target's chain, nor of one that is saved itself. Of a checkpoint
 * only its position counts.
 */
export function stagesWorthSaving({
  chain,
  chains,
  starts,
}: Pick<EngineWork, "chain" | "chains"> & {
  readonly starts: ReadonlyMap<number, StageStart<{ readonly position: number }>>;
}): readonly number[] {
  const covered = new Set(stagesOf(chain));
  const worth: number[] = [];
  const deepestFirst = [...chains.values()].sort((one, other) => other.steps.length - one.steps.length);
  for (const candidate of deepestFirst) {
    if (covered.has(candidate.stage)) continue;
    const start = starts.get(candidate.stage);
    const from = start?.kind === "checkpoint" ? start.recalled.position : 0;
    if (!checkpointPositions(candidate).some((position) => position > from)) continue;
    worth.push(candidate.stage);
    for (const stage of stagesOf(candidate)) covered.add(stage);
  }
  return worth;
}

/** The stages whose steps are in a chain. */
function stagesOf(chain: Chain): readonly number[] {
  return [chain.stage, ...chain.steps.map(({ step }) => step.stage)];
}
