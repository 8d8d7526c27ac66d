// SPDX-License-Identifier: Apache-2.0
import { expect } from "vitest";

/** The error of what must be refused: says why, and what to do. */
export function refused(act: () => unknown, { why, fix }: { why: RegExp | string; fix: RegExp | string }): void {
  let error: Error | undefined;
  try {
    act();
  } catch (caught) {
    error = caught as Error;
  }
  const [first = "", ...rest] = (error?.message ?? "nothing was refused").split("\n  hint: ");
  expect(first).toMatch(/^could not /);
  expect(first).toMatch(why);
  expect(rest.join("\n")).toMatch(fix);
}
