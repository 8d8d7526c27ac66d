// SPDX-License-Identifier: Apache-2.0
import { familyOf } from "../explain/pair-steps.ts";

/** An instruction that makes a layer, as it is written. */
export interface WrittenStep {
  /** Name or number. */
  readonly stage: string;
  readonly kind: string;
  readonly text: string;
  readonly line: number;
}

/** Knows an instruction again in other versions of a Dockerfile. */
export interface StepAligner {
  /** For each step of a version the number of its row; the same version must be given in the same order of steps. */
  rowsOf(steps: readonly WrittenStep[]): readonly number[];
  /** The rows, each as it was first met. */
  readonly rows: readonly WrittenStep[];
}

/** Starts with no rows. Versions are best given newest first: a row shows the text that it was first met with. */
export function startAligner(): StepAligner {
  const rows: WrittenStep[] = [];
  const known = new Map<string, readonly number[]>();

  function rowsOf(steps: readonly WrittenStep[]): readonly number[] {
    const version = JSON.stringify(steps.map(({ stage, kind, text }) => [stage, kind, text]));
    let found = known.get(version);
    if (found === undefined) {
      found = align(steps);
      known.set(version, found);
    }
    return found;
  }

  function align(steps: readonly WrittenStep[]): readonly number[] {
    return matchSteps(rows, steps).map((row, index) => row ?? rows.push(steps[index] as WrittenStep) - 1);
  }

  return { rowsOf, rows };
}

/**
 * Finds each step among those of another version: the one with the same text, of the same stage if there are several;
 * of those left, the next that does the same kind of work in its stage, or in the stage that has another name now.
 * Undefined for a step that is new. Pure.
 */
export function matchSteps(
  others: readonly WrittenStep[],
  steps: readonly WrittenStep[],
): readonly (number | undefined)[] {
  const free = new Set(others.keys());
  const taken: (number | undefined)[] = steps.map(() => undefined);
  const take = (isSame: (other: WrittenStep, step: WrittenStep) => boolean) => {
    for (const [index, step] of steps.entries()) {
      if (taken[index] !== undefined) continue;
      const found = [...free].find((one) => isSame(others[one] as WrittenStep, step));
      if (found === undefined) continue;
      taken[index] = found;
      free.delete(found);
    }
  };
  take((other, step) => other.stage === step.stage && other.text === step.text);
  take((other, step) => other.text === step.text);
  const isAlike = (other: WrittenStep, step: WrittenStep) => familyOf(other.kind) === familyOf(step.kind);
  take((other, step) => other.stage === step.stage && isAlike(other, step));
  const [gone, come] = [stagesOnlyIn(others, steps), stagesOnlyIn(steps, others)];
  take((other, step) => gone.has(other.stage) && come.has(step.stage) && isAlike(other, step));
  return taken;
}

function stagesOnlyIn(steps: readonly WrittenStep[], others: readonly WrittenStep[]): ReadonlySet<string> {
  const known = new Set(others.map(({ stage }) => stage));
  return new Set(steps.map(({ stage }) => stage).filter((stage) => !known.has(stage)));
}
