// SPDX-License-Identifier: Apache-2.0
import { diffArrays } from "diff";
import type { StepRecord } from "../spec/build-record.ts";

/** A step of the one build and the step of the other that it stands for. */
export type PairedStep =
  | { readonly kind: "both"; readonly before: StepRecord; readonly after: StepRecord }
  | { readonly kind: "added"; readonly after: StepRecord }
  | { readonly kind: "removed"; readonly before: StepRecord };

/**
 * Pairs the steps of a stage by their texts, in order; of what is left, those that stand in one place and do the same
 * kind of work. Order counts here, since it is told which instruction was moved, unlike in `analyze/align-steps.ts`,
 * where a row gathers an instruction from many versions of a Dockerfile. Pure.
 */
export function pairSteps(before: readonly StepRecord[], after: readonly StepRecord[]): readonly PairedStep[] {
  const aligned: PairedStep[] = [];
  const comparator = (one: StepRecord, other: StepRecord) => one.instruction === other.instruction;
  let gone: StepRecord[] = [];
  let next = 0;
  const pass = (steps: readonly StepRecord[]) => {
    aligned.push(...pairs(gone, steps));
    gone = [];
  };
  for (const { value, added, removed } of diffArrays([...before], [...after], { comparator })) {
    if (removed) {
      gone.push(...value);
      next += value.length;
      continue;
    }
    pass(added ? value : []);
    if (added) continue;
    // The parts in common are given as one of the two lists has them.
    for (const [index, text] of value.entries()) {
      const was = before[next + index] as StepRecord;
      aligned.push({ kind: "both", before: was, after: after[positionOf(aligned)] ?? text });
    }
    next += value.length;
  }
  pass([]);
  return aligned;
}

function positionOf(aligned: readonly PairedStep[]): number {
  return aligned.filter(({ kind }) => kind !== "removed").length;
}

function pairs(gone: readonly StepRecord[], added: readonly StepRecord[]): readonly PairedStep[] {
  const waiting = [...gone];
  const result: PairedStep[] = [];
  for (const after of added) {
    const found = waiting.findIndex((before) => isAlike(before, after));
    if (found === -1) {
      result.push({ kind: "added", after });
      continue;
    }
    for (const before of waiting.splice(0, found)) result.push({ kind: "removed", before });
    result.push({ kind: "both", before: waiting.shift() as StepRecord, after });
  }
  return [...result, ...waiting.map((before): PairedStep => ({ kind: "removed", before }))];
}

function isAlike(before: StepRecord, after: StepRecord): boolean {
  return familyOf(before.kind) === familyOf(after.kind);
}

/** Kinds of instructions of which one may be written in the place of the other. Pure. */
export function familyOf(kind: string): string {
  return kind === "add" ? "copy" : kind;
}
