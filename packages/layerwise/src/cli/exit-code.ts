// SPDX-License-Identifier: Apache-2.0
import { errorTable, isLayerwiseError } from "../error.ts";

/** EX_SOFTWARE of sysexits.h: a bug of ours. */
const bugExit = 70;

/** The exit code that says whose turn it is. */
export function exitCodeOf(error: unknown): number {
  return isLayerwiseError(error) ? errorTable[error.code].exit : bugExit;
}
