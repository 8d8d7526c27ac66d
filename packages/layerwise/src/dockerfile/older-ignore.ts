// SPDX-License-Identifier: Apache-2.0
import { goRegExp } from "./go-regexp.ts";
import type { IgnorePattern } from "./ignore-pattern.ts";

/** Whether Docker 20.10's client leaves a path out; undefined if it refuses a pattern. */
export type OlderMatcher = (path: string) => boolean | undefined;

/**
 * Makes a matcher with the semantics of Docker 20.10's client, where they can differ from those of newer ones. It has
 * regular expressions only, in which more characters are special, and looks at one of the directories above a path.
 * https://github.com/moby/moby/blob/v20.10.24/pkg/fileutils/fileutils.go
 */
export function createOlderMatcher(patterns: readonly IgnorePattern[]): OlderMatcher | undefined {
  const hasException = patterns.some(({ isException }) => isException);
  const mayDiffer = ({ text }: IgnorePattern) => special.test(text) || (hasException && variableDepth.test(text));
  if (!patterns.some(mayDiffer)) return undefined;
  const older = patterns.map(({ text, isException }) => {
    return { isException, regexp: goRegExp(olderSource(text)), depth: text.split("/").length };
  });
  if (older.some(({ regexp }) => regexp === undefined)) return () => undefined;
  return (path) => {
    const parents = path.split("/").slice(0, -1);
    let isExcluded = false;
    for (const { isException, regexp, depth } of older) {
      const above = depth <= parents.length ? parents.slice(0, depth).join("/") : undefined;
      const isMatch = regexp?.test(path) || (above !== undefined && regexp?.test(above));
      if (isMatch) isExcluded = !isException;
    }
    return isExcluded;
  };
}

/** Characters that mean something else, and double stars that stand for a part of a name. */
const special = /[()+|{}^]|\*\*(?!\/|$)/;

/** A pattern that matches paths of different lengths, each with another directory above it. */
const variableDepth = /\*\*(?!$)/;

function olderSource(text: string): string {
  const parts = text.match(/\*\*\/?|\\.|./gsu) ?? [];
  const sources = parts.map((part, index) => {
    if (part.startsWith("**")) return index === parts.length - 1 ? ".*" : "(.*/)?";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    return part === "." || part === "$" ? `\\${part}` : part;
  });
  return `^${sources.join("")}$`;
}
