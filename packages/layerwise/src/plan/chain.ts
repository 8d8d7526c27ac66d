// SPDX-License-Identifier: Apache-2.0
import type { Platform } from "../spec/platform.ts";
import type { CacheKey } from "./cache-key.ts";
import { engineOnly, holdsEngineFiles } from "./engine-only.ts";
import type { EvaluatedStage } from "./evaluate-stages.ts";
import type { BaseImage } from "./facts.ts";
import type { StageState } from "./stage-state.ts";
import type { Step } from "./step.ts";
import { type KeyScope, rootKey, stepKey } from "./step-key.ts";

/** One step of a chain with its key; no key, and none after it, if its result has no name. */
export interface ChainStep {
  readonly step: Step;
  readonly key: CacheKey | undefined;
  /** Whether only an engine can make it, as far as the build context tells. */
  readonly needsEngine: boolean;
  /** Whether it may unpack an archive. */
  readonly unpacks: boolean;
  /** Whether a stage ends here: other stages and later builds may start from it. */
  readonly endsStage: boolean;
}

/** Everything that makes the file system of a stage: its base's layers and all steps, those of stages below first. */
export interface Chain {
  readonly stage: number;
  readonly platform: Platform;
  /** The image at the root; undefined for scratch. */
  readonly base: BaseImage | undefined;
  readonly root: CacheKey;
  readonly steps: readonly ChainStep[];
  /** How many of the steps belong to stages below. */
  readonly inherited: number;
  readonly history: readonly ChainHistory[];
  /** What holds before the stage's own first instruction, and after its last. */
  readonly initial: StageState;
  readonly final: StageState;
}

/** One line of history, and the layer it describes as a position in the chain. */
export interface ChainHistory {
  readonly createdBy: string;
  readonly layer: number | undefined;
}

/** Builds the chains of all evaluated stages. Pure. */
export function chainsOf(
  stages: ReadonlyMap<number, EvaluatedStage>,
  scope: Omit<KeyScope, "sourceKey"> & { readonly imageKey: (reference: string) => string | undefined },
): ReadonlyMap<number, Chain> {
  const chains = new Map<number, Chain>();
  const keyScope: KeyScope = {
    ...scope,
    sourceKey: (source) => {
      if (source.kind === "image") return scope.imageKey(source.reference);
      const chain = chains.get(source.stage);
      return chain === undefined ? undefined : endKey(chain)?.digest;
    },
  };
  for (const stage of stages.values()) chains.set(stage.index, chainOf(stage, { chains, keyScope }));
  return chains;
}

/** The key of everything in a chain; undefined if some step has none. */
export function endKey(chain: Chain): CacheKey | undefined {
  const last = chain.steps.at(-1);
  return last === undefined ? chain.root : last.key;
}

/**
 * How many steps may be behind a checkpoint, ascending: those after which a later build may want to continue. That is
 * after each step that {@link mayEndCheckpoint}.
 */
export function checkpointPositions(chain: Chain): readonly number[] {
  const positions: number[] = [];
  for (const [index, step] of chain.steps.entries()) {
    if (step.key === undefined) break;
    if (mayEndCheckpoint(step)) positions.push(index + 1);
  }
  return positions;
}

/** Whether making the step takes long enough to have it behind a checkpoint, or others may start after it. */
export function mayEndCheckpoint({ endsStage, needsEngine, unpacks }: ChainStep): boolean {
  return endsStage || needsEngine || unpacks;
}

function chainOf(
  stage: EvaluatedStage,
  { chains, keyScope }: { chains: ReadonlyMap<number, Chain>; keyScope: KeyScope },
): Chain {
  const parent = stage.base.kind === "stage" ? chains.get(stage.base.stage) : undefined;
  const base = stage.base.kind === "image" ? stage.base.image : parent?.base;
  const root = parent?.root ?? rootKey(base?.config.diffIds ?? [], stage.platform);
  const inherited = parent?.steps.length ?? 0;
  const steps: ChainStep[] = [...(parent?.steps ?? [])];
  let key = parent === undefined ? root : endKey(parent);
  for (const [index, step] of stage.steps.entries()) {
    key = key === undefined ? undefined : stepKey(step, key, keyScope);
    const content = keyScope.contentOf(step);
    const needsEngine = engineOnly(step) !== undefined || (content !== undefined && holdsEngineFiles(step, content));
    const unpacks = content !== undefined && content.archives.size > 0;
    steps.push({ step, key, needsEngine, unpacks, endsStage: index === stage.steps.length - 1 });
  }
  const history = [
    ...(parent?.history ?? []),
    ...stage.history.map(({ createdBy, step }) => ({
      createdBy,
      layer: step === undefined ? undefined : inherited + step,
    })),
  ];
  const { index, platform, initial, final } = stage;
  return { stage: index, platform, base, root, steps, inherited, history, initial, final };
}
