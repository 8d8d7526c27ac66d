// SPDX-License-Identifier: Apache-2.0

/** What a refusal says. */
export interface Refusal {
  /** What could not be done, after "could not". */
  readonly what: string;
  readonly why: string;
  /** What to do next, starting with an imperative. */
  readonly fix: string;
}

/** The error of input that cannot work, told at synth rather than in a build. */
export function refusal({ what, why, fix }: Refusal): Error {
  return new Error(`could not ${what}: ${why}\n  hint: ${fix}`);
}
