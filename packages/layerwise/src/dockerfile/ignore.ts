// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import { cleanPath } from "./clean-path.ts";
import { compileIgnorePattern, type IgnorePattern, invalidIgnorePattern } from "./ignore-pattern.ts";
import { createOlderMatcher, type OlderMatcher } from "./older-ignore.ts";
import { isIgnorePattern } from "./path-match.ts";
import { trimSpace } from "./space.ts";

/**
 * Reads the patterns of an ignore file: comments and empty lines gone, paths in their shortest form and relative.
 * https://github.com/moby/patternmatcher/blob/v0.6.0/ignorefile/ignorefile.go
 *
 * @param file how messages name the file
 * @throws DOCKERFILE_SYNTAX if a pattern is malformed
 */
export function parseIgnoreFile(text: string, file = ".dockerignore"): readonly string[] {
  const patterns: string[] = [];
  const lines = (text.startsWith("\ufeff") ? text.slice(1) : text).split("\n");
  for (const [index, line] of lines.entries()) {
    const pattern = patternOf(line);
    if (pattern === undefined) continue;
    const why = refusalOf(pattern);
    if (why !== undefined) throw invalidLine({ file, line: index + 1, text: line, why });
    patterns.push(pattern);
  }
  return patterns;
}

/** Says which paths of a build context are left out. */
export interface IgnoreMatcher {
  /** Starts to ask about paths, each directory before what is in it. */
  startWalk(): IgnoreWalk;
  /** Whether a directory and everything below it is left out, so that nobody needs to look. */
  canSkip(directory: string): boolean;
}

/** One walk through a build context. */
export interface IgnoreWalk {
  /**
   * Whether a path is left out. A directory that is left out is in the context all the same if something below it is
   * not.
   *
   * @param path relative to the context; the context itself is the empty path and never left out
   * @param isDirectory whether paths below it can follow
   */
  excludes(path: string, isDirectory: boolean): boolean;
  /**
   * Whether engines differ about what is below a directory: it is left out, and an exception with wildcards may mean
   * something in it, which older engines look for only if the exception begins with the directory's own path.
   */
  isDisputed(directory: string): boolean;
  /**
   * Whether a directory is left out and the text of an exception begins with its path: older engines have it in the
   * context even if nothing below it is left.
   */
  isNamed(directory: string): boolean;
  /** Whether older engines say otherwise of the path itself: they read some patterns differently. */
  differs(path: string, isDirectory: boolean): boolean;
}

/**
 * Makes a matcher with the semantics of moby's `MatchesUsingParentResults`, as BuildKit's walk applies them: the last
 * pattern that matches a path or a directory above it decides, but what is below a directory that the walk skips is
 * lost, even if an exception means it. So the lines `*` and `!src/?/**` find `src/a/b`, where a star instead of the
 * question mark would find nothing.
 * https://github.com/tonistiigi/fsutil/blob/a2aa163d723f/filter.go
 *
 * @throws DOCKERFILE_SYNTAX if a pattern is malformed; that a pattern means nothing can also show when it is needed
 */
export function createIgnoreMatcher(patterns: readonly string[]): IgnoreMatcher {
  const compiled = patterns.flatMap(compile);
  const heads = compiled.filter(({ isException }) => isException).map(({ text }) => withoutGlob(text));
  const older = createOlderMatcher(compiled);
  const rules: Rules = { patterns: compiled, heads, hasWildHead: heads.some(isWild), older };
  const asked: Verdicts = new Map();

  function startWalk(): IgnoreWalk {
    const seen: Verdicts = new Map();
    return {
      excludes: (path, isDirectory) => verdictOn(rules, { path, isDirectory, seen }).isExcluded,
      isDisputed: (path) => verdictOn(rules, { path, isDirectory: true, seen }).isDisputed,
      isNamed: (path) => verdictOn(rules, { path, isDirectory: true, seen }).isNamed,
      differs: (path, isDirectory) => older !== undefined && verdictOn(rules, { path, isDirectory, seen }).isDifferent,
    };
  }

  function canSkip(directory: string): boolean {
    return verdictOn(rules, { path: directory, isDirectory: true, seen: asked }).isSkipped;
  }

  return { startWalk, canSkip };
}

/**
 * Whether one file is left out, with the directories that a walk would come through before it.
 *
 * @param path relative to the context
 */
export function isIgnored(matcher: IgnoreMatcher, path: string): boolean {
  const walk = matcher.startWalk();
  const names = path.split("/").filter((name) => name !== "");
  const verdicts = names.map((_, index) =>
    walk.excludes(names.slice(0, index + 1).join("/"), index < names.length - 1),
  );
  return verdicts.at(-1) === true;
}

interface Rules {
  readonly patterns: readonly IgnorePattern[];
  /** The exceptions without stars at the end: how a path must begin so that one can match it. */
  readonly heads: readonly string[];
  readonly hasWildHead: boolean;
  readonly older: OlderMatcher | undefined;
}

interface Verdict {
  readonly isExcluded: boolean;
  /** Whether all below is lost. */
  readonly isSkipped: boolean;
  /** Whether all below is lost for older engines only. */
  readonly isDisputed: boolean;
  /** Whether it is excluded, and an exception begins with its path. */
  readonly isNamed: boolean;
  /** Whether older engines say otherwise of the path. */
  readonly isDifferent: boolean;
  /** Which patterns match the path or a directory above it. */
  readonly matched: readonly boolean[];
}

/** Verdicts on directories, by path. */
type Verdicts = Map<string, Verdict>;

interface Question {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly seen: Verdicts;
}

const contextVerdict: Verdict = {
  isExcluded: false,
  isSkipped: false,
  isDisputed: false,
  isNamed: false,
  isDifferent: false,
  matched: [],
};

function verdictOn(rules: Rules, { path, isDirectory, seen }: Question): Verdict {
  if (path === "" || rules.patterns.length === 0) return contextVerdict;
  const known = seen.get(path);
  if (known !== undefined) return known;
  const parent = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  const above = verdictOn(rules, { path: parent, isDirectory: true, seen });
  const verdict = above.isSkipped ? above : judge(rules, { path, above });
  if (isDirectory) seen.set(path, verdict);
  return verdict;
}

function judge(rules: Rules, { path, above }: { path: string; above: Verdict }): Verdict {
  const { patterns, heads, hasWildHead, older } = rules;
  let isExcluded = false;
  const matched = patterns.map((pattern, index) => {
    // A pattern that could not change the verdict is not even tried.
    const isMatch = above.matched[index] || (pattern.isException === isExcluded && pattern.matches(path));
    if (isMatch) isExcluded = !pattern.isException;
    return isMatch;
  });
  const mayHoldException = hasWildHead || heads.some((head) => `${head}/`.startsWith(`${path}/`));
  const isNamed = patterns.some(({ isException, text }) => isException && `${text}/`.startsWith(`${path}/`));
  const isDifferent = older !== undefined && older(path) !== isExcluded;
  const isDisputed = above.isDisputed || isDifferent || (isExcluded && mayHoldException && !isNamed);
  return {
    isExcluded,
    isSkipped: isExcluded && !mayHoldException,
    isDisputed,
    isNamed: isExcluded && isNamed,
    isDifferent,
    matched,
  };
}

function compile(pattern: string): readonly IgnorePattern[] {
  const trimmed = trimSpace(pattern);
  if (trimmed === "") return [];
  const why = refusalOf(trimmed);
  if (why !== undefined) throw invalidIgnorePattern(pattern, why);
  const clean = cleanPath(trimmed);
  const isException = clean.startsWith("!");
  return [compileIgnorePattern(isException ? clean.slice(1) : clean, isException)];
}

/** The pattern of a line; undefined for a comment or an empty line. */
function patternOf(line: string): string | undefined {
  const text = trimSpace(line);
  if (line.startsWith("#") || text === "") return undefined;
  const isException = text.startsWith("!");
  const path = isException ? trimSpace(text.slice(1)) : text;
  const clean = path === "" ? "" : cleanPath(path);
  const relative = clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean;
  return isException ? `!${relative}` : relative;
}

function refusalOf(pattern: string): string | undefined {
  const clean = cleanPath(pattern);
  if (clean === "!") return "nothing follows the exclamation mark";
  const text = clean.startsWith("!") ? clean.slice(1) : clean;
  return isIgnorePattern(text) ? undefined : "a class or an escape in it is not complete";
}

function withoutGlob(text: string): string {
  return text.replace(/\/\*\*$/, "").replace(/\/\*$/, "");
}

function isWild(text: string): boolean {
  return /[*[\]?^\\]/.test(text);
}

interface Line {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly why: string;
}

function invalidLine({ file, line, text, why }: Line): LayerwiseError {
  const end = Math.max(text.trimEnd().length, 1);
  const at = { file, start: { line, column: 1 }, end: { line, column: end } };
  return new LayerwiseError("DOCKERFILE_SYNTAX", `could not read ${file} line ${line}: ${why}`, {
    hint: "correct the pattern, or put a backslash before [ or \\ to mean the character itself",
    at,
  });
}
