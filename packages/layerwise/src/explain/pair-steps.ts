// SPDX-License-Identifier: Apache-2.0
import { diffArrays } from "diff";
import type { StepRecord } from "../spec/build-record.ts";

/** A step of the one build and the step of the other that it stands for. */
export type AlignedStep =
  | { readonly kind: "both"; readonly before: StepRecord; readonly after: StepRecord }
  | { readonly kind: "added"; readonly after: StepRecord }
  | { readonly kind: "removed"; readonly before: StepRecord };

/** Aligns the steps of a stage by their texts; of what is left, those that stand in one place and do the same kind of work. */
export function alignSteps(before: readonly StepRecord[], after: readonly StepRecord[]): readonly AlignedStep[] {
  const aligned: AlignedStep[] = [];
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

function positionOf(aligned: readonly AlignedStep[]): number {
  return aligned.filter(({ kind }) => kind !== "removed").length;
}

function pairs(gone: readonly StepRecord[], added: readonly StepRecord[]): readonly AlignedStep[] {
  const waiting = [...gone];
  const result: AlignedStep[] = [];
  for (const after of added) {
    const found = waiting.findIndex((before) => isAlike(before, after));
    if (found === -1) {
      result.push({ kind: "added", after });
      continue;
    }
    for (const before of waiting.splice(0, found)) result.push({ kind: "removed", before });
    result.push({ kind: "both", before: waiting.shift() as StepRecord, after });
  }
  return [...result, ...waiting.map((before): AlignedStep => ({ kind: "removed", before }))];
}

function isAlike(before: StepRecord, after: StepRecord): boolean {
  return familyOf(before) === familyOf(after);
}

function familyOf({ kind }: StepRecord): string {
  return kind === "add" ? "copy" : kind;
}
