// SPDX-License-Identifier: Apache-2.0
import { expect } from "vitest";
import { type ErrorCode, errorTable } from "../../src/error.ts";
import type { Outcome } from "./site.ts";

/** What a failed run must show besides the form that all errors have. */
export interface ExpectedFailure {
  readonly code: ErrorCode;
  /** Texts that must occur in what is printed. */
  readonly says: readonly string[];
}

/**
 * Checks the form of a failure: the exit code of the error's kind, one sentence that says what could not be done, a hint
 * that says what to do, and nothing on stdout. Returns what was printed of the error.
 */
export function expectFailure(outcome: Outcome, { code, says }: ExpectedFailure): string {
  const printed = /^error [A-Z_]+: [\s\S]*/m.exec(outcome.stderr)?.[0] ?? outcome.stderr;
  expect.soft(printed).toMatch(new RegExp(`^error ${code}: could not [^\\n]*[^.\\n]\\n`));
  expect.soft(printed).toMatch(/^ {2}hint: [a-z][^\n]*[^.\n]\n$/m);
  expect.soft(outcome.exitCode).toBe(errorTable[code].exit);
  expect.soft(outcome.stdout.toString("utf8")).toBe("");
  for (const text of says) expect.soft(printed).toContain(text);
  return printed;
}
