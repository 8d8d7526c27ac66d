// SPDX-License-Identifier: Apache-2.0
import { cleanPath } from "../dockerfile/clean-path.ts";
import { createIgnoreMatcher } from "../dockerfile/ignore.ts";
import { trimSpace } from "../dockerfile/space.ts";
import { hasCode } from "../error.ts";

/**
 * The patterns of --exclude, if each of them only takes files away; undefined if one is an exception, which brings
 * directories back with other attributes than they had, or means nothing, with which an engine fails.
 */
export function plainExcludes(patterns: readonly string[]): readonly string[] | undefined {
  return patterns.every(isPlain) ? patterns : undefined;
}

function isPlain(pattern: string): boolean {
  const text = trimSpace(pattern);
  if (text !== "" && cleanPath(text).startsWith("!")) return false;
  try {
    // Some patterns turn out to mean nothing only when they are tried.
    createIgnoreMatcher([pattern]).startWalk().excludes("a name", false);
    return true;
  } catch (error) {
    if (hasCode(error, "DOCKERFILE_SYNTAX")) return false;
    throw error;
  }
}
