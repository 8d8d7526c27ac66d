// SPDX-License-Identifier: Apache-2.0
import type { Chain, ChainStep } from "../plan/chain.ts";
import type { Plan, Work } from "../plan/plan.ts";
import { describeReason } from "../plan/route.ts";
import { stepId } from "./recorder.ts";
import type { ReportedReason, ReportedStep } from "./report.ts";

/** Why a plan needs the engine, for people and machines. */
export function plannedReasons({ reasons }: Plan): readonly ReportedReason[] {
  return reasons.map((reason) => ({ name: reason.name, text: describeReason(reason), line: reason.at?.start.line }));
}

/** A step as it was planned. */
export interface PlannedStep extends Omit<ReportedStep, "seconds" | "start" | "bytes"> {
  readonly stageIndex: number;
  /** Position in its stage. */
  readonly position: number;
  /** Position in the target's chain; undefined for steps of other stages. */
  readonly layer: number | undefined;
}

/** All steps that a plan looks at, in the order of the Dockerfile, and what becomes of each. */
export function plannedSteps({ work, dockerfile }: Plan): readonly PlannedStep[] {
  const stageName = (stage: number) => dockerfile.stages[stage]?.name ?? String(stage);
  const seen = new Map<string, PlannedStep>();
  for (const { chain, done, by } of plannedChains(work)) {
    const counts = new Map<number, number>();
    for (const [index, step] of chain.steps.entries()) {
      const { stage } = step.step;
      const position = counts.get(stage) ?? 0;
      counts.set(stage, position + 1);
      const id = stepId(stage, position);
      const isTarget = work.kind !== "whole" && chain.stage === work.chain.stage;
      const layer = isTarget ? index : seen.get(id)?.layer;
      const fate = isTransplanted(work, step) ? transplanted : fateOf(step, { by, behind: done - index });
      seen.set(id, { ...described(step), ...fate, stage: stageName(stage), stageIndex: stage, position, layer });
    }
  }
  return [...seen.values()].sort((one, other) => one.line - other.line || one.position - other.position);
}

interface PlannedChain {
  readonly chain: Chain;
  /** How many steps are behind a checkpoint. */
  readonly done: number;
  readonly by: "assemble" | "engine";
}

function plannedChains(work: Work): readonly PlannedChain[] {
  switch (work.kind) {
    case "whole":
      return [];
    case "reuse":
      return [{ chain: work.chain, done: work.chain.steps.length, by: "assemble" }];
    case "assemble":
      return [{ chain: work.chain, done: work.start?.position ?? 0, by: "assemble" }];
    case "engine":
      return [...work.chains.values()].map((chain) => ({ chain, done: engineDone(work, chain), by: "engine" }));
  }
}

function engineDone(work: Extract<Work, { kind: "engine" }>, chain: Chain): number {
  const start = work.starts.get(chain.stage);
  if (start?.kind === "checkpoint") return start.recalled.position;
  const below = work.stages.get(chain.stage)?.base;
  const parent = below?.kind === "stage" ? work.chains.get(below.stage) : undefined;
  return parent === undefined ? 0 : engineDone(work, parent);
}

function isTransplanted(work: Work, step: ChainStep): boolean {
  return work.kind === "assemble" && work.layers.some((one) => one.step === step && one.transplant !== undefined);
}

type Fate = Pick<PlannedStep, "state" | "by" | "why">;

const transplanted: Fate = { state: "reused", by: "transplant", why: "copies the same to the same place" };

/** @param behind how many steps a checkpoint holds from this one on; 0 for the first that it does not hold */
function fateOf({ key }: ChainStep, { by, behind }: { by: "assemble" | "engine"; behind: number }): Fate {
  const isDone = behind > 0;
  const why = isDone
    ? "same inputs"
    : behind === 0
      ? "no checkpoint for its inputs"
      : "comes after a step that was made";
  return {
    state: isDone ? "reused" : "made",
    by: isDone ? "checkpoint" : by,
    why: key === undefined ? "its inputs are not known beforehand" : why,
  };
}

function described({ step, key }: ChainStep) {
  return { line: step.at.start.line, instruction: step.text, key: key?.digest };
}
