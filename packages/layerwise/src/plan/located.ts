// SPDX-License-Identifier: Apache-2.0
import { errorAt } from "../dockerfile/syntax-error.ts";
import { isLayerwiseError, type SourceRange } from "../error.ts";

/** Does something that may fail on a word, and adds the place of its instruction to the error. */
export function located<T>(at: SourceRange, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isLayerwiseError(error) && error.at === undefined) throw errorAt(error, at);
    throw error;
  }
}
