// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "./chain.ts";
import type { Draft } from "./draft-chains.ts";
import type { EvaluatedStage } from "./evaluate-stages.ts";
import type { StageStart } from "./plan.ts";

/** How many steps of a chain a checkpoint holds, with whatever else is known of it. */
interface Held {
  readonly position: number;
}

/** Where an engine has to begin. */
export interface Starts<R extends Held> {
  readonly starts: ReadonlyMap<number, StageStart<R>>;
  /** The chains of the stages that the engine needs. */
  readonly chains: ReadonlyMap<number, Chain>;
}

/**
 * Decides for the target's stage where it begins, and then for all stages that what is left of it reads.
 *
 * @param recalled the checkpoint of the target's chain; undefined if it has none that an engine can use
 * @param recall finds the one of another chain
 */
export async function startStages<R extends Held>(
  draft: Pick<Draft, "target" | "stages" | "chains">,
  { recalled, recall }: { recalled: R | undefined; recall: (chain: Chain) => Promise<R | undefined> },
): Promise<Starts<R>> {
  const starts = new Map<number, StageStart<R>>();
  const chains = new Map<number, Chain>();

  async function start(chain: Chain, found: R | undefined): Promise<void> {
    if (starts.has(chain.stage)) return;
    const done = (found?.position ?? 0) - chain.inherited;
    chains.set(chain.stage, chain);
    const startsHere = found !== undefined && done >= 0;
    starts.set(chain.stage, startsHere ? { kind: "checkpoint", recalled: found, done } : { kind: "begin" });
    const stage = draft.stages.get(chain.stage) as EvaluatedStage;
    if (!startsHere && stage.base.kind === "stage") {
      await start(draft.chains.get(stage.base.stage) as Chain, found);
    }
    for (const step of stage.steps.slice(Math.max(0, done))) {
      for (const read of stagesReadBy(step)) {
        const other = draft.chains.get(read) as Chain;
        if (!starts.has(read)) await start(other, await recall(other));
      }
    }
  }

  await start(draft.target, recalled);
  return { starts, chains };
}

function stagesReadBy(step: EvaluatedStage["steps"][number]): readonly number[] {
  const sources =
    step.kind === "run" ? step.mounts.map((mount) => mount.reads) : step.kind === "workdir" ? [] : [step.from];
  return sources.flatMap((source) => (source.kind === "stage" ? [source.stage] : []));
}
