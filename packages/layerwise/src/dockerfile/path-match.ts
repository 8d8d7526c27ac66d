// SPDX-License-Identifier: Apache-2.0
import { syntaxError } from "./syntax-error.ts";

/**
 * Whether a path matches a pattern, as Go's `filepath.Match` on Unix: `*` and `?` stand for anything but a slash,
 * `[a-z]` and `[^a-z]` for a character, and a backslash makes the next character ordinary.
 * https://pkg.go.dev/path/filepath#Match
 *
 * @throws DOCKERFILE_SYNTAX without a place if the pattern is malformed as far as it was needed
 */
export function matchPath(pattern: string, path: string): boolean {
  const isMatch = matchChunks(splitChunks([...pattern]), [...path]);
  if (isMatch !== undefined) return isMatch;
  throw syntaxError(`could not read the pattern "${pattern}": a class or an escape in it is not complete`, {
    hint: "put a backslash before [ or \\ to mean the character itself",
    word: pattern,
  });
}

/** Whether moby accepts a pattern for an ignore file: whether `filepath.Match` can compare it with a dot. */
export function isIgnorePattern(pattern: string): boolean {
  return matchChunks(splitChunks([...pattern]), ["."]) !== undefined;
}

/** A part of a pattern up to the next star. */
interface Chunk {
  readonly isAfterStar: boolean;
  /** Undefined if the chunk is malformed. */
  readonly terms: readonly Term[] | undefined;
}

type Term =
  | { readonly kind: "any" }
  | { readonly kind: "literal"; readonly character: string }
  | { readonly kind: "class"; readonly isNegated: boolean; readonly ranges: readonly Range[] };

interface Range {
  readonly low: number;
  readonly high: number;
}

function splitChunks(characters: readonly string[]): readonly Chunk[] {
  const chunks: Chunk[] = [];
  for (let index = 0; index < characters.length; ) {
    const isAfterStar = characters[index] === "*";
    while (characters[index] === "*") index += 1;
    const end = chunkEnd(characters, index);
    chunks.push({ isAfterStar, terms: parseTerms(characters.slice(index, end)) });
    index = end;
  }
  return chunks;
}

function chunkEnd(characters: readonly string[], start: number): number {
  let isInClass = false;
  for (let index = start; index < characters.length; index++) {
    const character = characters[index];
    if (character === "\\") index += 1;
    else if (character === "[") isInClass = true;
    else if (character === "]") isInClass = false;
    else if (character === "*" && !isInClass) return index;
  }
  return characters.length;
}

function parseTerms(characters: readonly string[]): readonly Term[] | undefined {
  const terms: Term[] = [];
  for (let index = 0; index < characters.length; ) {
    const character = characters[index] as string;
    index += 1;
    if (character === "?") terms.push({ kind: "any" });
    else if (character === "[") {
      const parsed = parseClass(characters, index);
      if (parsed === undefined) return undefined;
      terms.push(parsed.term);
      index = parsed.end;
    } else {
      const literal = character === "\\" ? characters[index++] : character;
      if (literal === undefined) return undefined;
      terms.push({ kind: "literal", character: literal });
    }
  }
  return terms;
}

function parseClass(characters: readonly string[], start: number): { term: Term; end: number } | undefined {
  const isNegated = characters[start] === "^";
  const ranges: Range[] = [];
  let index = isNegated ? start + 1 : start;
  while (ranges.length === 0 || characters[index] !== "]") {
    const low = parseClassCharacter(characters, index);
    const high = low !== undefined && characters[low.end] === "-" ? parseClassCharacter(characters, low.end + 1) : low;
    if (low === undefined || high === undefined) return undefined;
    ranges.push({ low: low.code, high: high.code });
    index = high.end;
  }
  return { term: { kind: "class", isNegated, ranges }, end: index + 1 };
}

/** One character of a class; a hyphen or a closing bracket must be escaped, and something must follow. */
function parseClassCharacter(
  characters: readonly string[],
  start: number,
): { readonly code: number; readonly end: number } | undefined {
  const first = characters[start];
  if (first === undefined || first === "-" || first === "]") return undefined;
  const index = first === "\\" ? start + 1 : start;
  const code = characters[index]?.codePointAt(0);
  if (code === undefined || index + 1 >= characters.length) return undefined;
  return { code, end: index + 1 };
}

/** Undefined if a malformed chunk was met. */
function matchChunks(chunks: readonly Chunk[], path: readonly string[]): boolean | undefined {
  let position = 0;
  for (const [index, { isAfterStar, terms }] of chunks.entries()) {
    if (terms === undefined) return undefined;
    if (isAfterStar && terms.length === 0) return !path.slice(position).includes("/");
    const isLast = index === chunks.length - 1;
    const end = findChunk(terms, { path, position, isAfterStar, isLast });
    if (end === undefined) return false;
    position = end;
  }
  return position === path.length;
}

interface Search {
  readonly path: readonly string[];
  readonly position: number;
  readonly isAfterStar: boolean;
  /** The last chunk must reach the end. */
  readonly isLast: boolean;
}

/** Where the first match of a chunk ends; a star before it takes what lies between, but no slash. */
function findChunk(terms: readonly Term[], { path, position, isAfterStar, isLast }: Search): number | undefined {
  for (let start = position; ; start++) {
    const end = start + terms.length;
    const isMatch = end <= path.length && terms.every((term, index) => matchOne(term, path[start + index] as string));
    if (isMatch && (!isLast || end === path.length)) return end;
    if (!isAfterStar || start >= path.length || path[start] === "/") return undefined;
  }
}

function matchOne(term: Term, character: string): boolean {
  if (term.kind === "literal") return term.character === character;
  if (term.kind === "any") return character !== "/";
  const code = character.codePointAt(0) as number;
  return term.ranges.some(({ low, high }) => low <= code && code <= high) !== term.isNegated;
}
