// SPDX-License-Identifier: Apache-2.0
import type { Explanation } from "../explain/cause.ts";
import { describeCause } from "../explain/describe-cause.ts";

/** An explanation as a report has it: the first cause of each step, in words. */
export interface ReportedExplanation {
  /** The reference that the build before had, its image and its time; undefined without one. */
  readonly before:
    | { readonly reference: string; readonly digest: string | undefined; readonly time: string }
    | undefined;
  readonly steps: readonly ReportedCause[];
}

/** Why one step was made. */
export interface ReportedCause {
  readonly stage: string;
  readonly line: number;
  /** The kind of the first cause, see docs/explain.md. */
  readonly cause: string;
  /** The same in words. */
  readonly text: string;
  /** The line at which it begins: the step's own, or that of the first place before it that is not as it was. */
  readonly origin: number;
  /** What is different in detail, a line each. */
  readonly details: readonly string[];
}

/** An explanation without what only `layerwise explain` shows. */
export function shortExplanation({ before, steps }: Explanation): ReportedExplanation {
  return {
    before: before.kind === "build" ? { reference: before.name, digest: before.digest, time: before.time } : undefined,
    steps: steps.map(({ stage, line, causes, origin }) => {
      const [first] = causes;
      const said = describeCause(first);
      // A terminal would obey what a name of a file may hold.
      const [text = "", ...details] = [said.text, ...said.details].map((one) => one.replace(/\p{Cc}/gu, "\ufffd"));
      return { stage, line, cause: first.kind, text, origin: origin.line, details: details.slice(0, maxDetails) };
    }),
  };
}

/** Most lines of detail for one step; `layerwise explain` shows all. */
const maxDetails = 10;
