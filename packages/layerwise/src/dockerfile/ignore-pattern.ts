// SPDX-License-Identifier: Apache-2.0
import type { LayerwiseError } from "../error.ts";
import { goRegExp } from "./go-regexp.ts";
import { syntaxError } from "./syntax-error.ts";

/** A line of an ignore file, ready to match paths. */
export interface IgnorePattern {
  /** The pattern without a leading exclamation mark. */
  readonly text: string;
  /** Whether it takes paths back that lines before it excluded. */
  readonly isException: boolean;
  /**
   * Whether it matches a path, not looking at the directories that hold it.
   *
   * @throws DOCKERFILE_SYNTAX if the pattern means nothing; only when it is needed, as in BuildKit
   */
  matches(path: string): boolean;
}

/**
 * Compiles a pattern as moby's patternmatcher does, its oddities included: a class is copied into a regular expression,
 * stars in it and all.
 * https://github.com/moby/patternmatcher/blob/v0.6.0/patternmatcher.go (compile)
 */
export function compileIgnorePattern(text: string, isException: boolean): IgnorePattern {
  let test: ((path: string) => boolean) | undefined;
  return {
    text,
    isException,
    matches(path) {
      test ??= testOf(text);
      return test(path);
    },
  };
}

/** The error about an ignore pattern that cannot be used. */
export function invalidIgnorePattern(pattern: string, why: string): LayerwiseError {
  return syntaxError(`could not read the ignore pattern "${pattern}": ${why}`, {
    hint: "put a backslash before [ or \\ to mean the character itself",
    word: pattern,
  });
}

type Form = "exact" | "prefix" | "suffix" | "regexp";

function testOf(text: string): (path: string) => boolean {
  // Go's text scanner drops a byte order mark at the start.
  const { form, source } = formOf([...(text.startsWith("\ufeff") ? text.slice(1) : text)]);
  if (form === "exact") return (path) => path === text;
  if (form === "prefix") {
    const prefix = text.slice(0, -"**".length);
    return (path) => path.startsWith(prefix);
  }
  if (form === "suffix") {
    const suffix = text.slice("**".length);
    return (path) => path.endsWith(suffix) || (suffix.startsWith("/") && path === suffix.slice(1));
  }
  const regexp = goRegExp(`^${source}$`);
  if (regexp === undefined) throw invalidIgnorePattern(text, "a class or an escape in it means nothing");
  return (path) => regexp.test(path);
}

interface Compilation {
  form: Form;
  /** In Go's syntax. */
  source: string;
}

function formOf(characters: readonly string[]): Compilation {
  const result: Compilation = { form: "exact", source: "" };
  for (let index = 0; index < characters.length; ) {
    const character = characters[index] as string;
    const isDouble = character === "*" && characters[index + 1] === "*";
    if (isDouble) index = addDoubleStar(result, { characters, index });
    else index = addCharacter(result, { characters, index });
  }
  return result;
}

interface Place {
  readonly characters: readonly string[];
  readonly index: number;
}

/** Any number of directories; at the end of a pattern, everything. */
function addDoubleStar(result: Compilation, { characters, index }: Place): number {
  const afterStars = index + 2;
  const end = characters[afterStars] === "/" ? afterStars + 1 : afterStars;
  if (end < characters.length) {
    result.source += "(.*/)?";
    result.form = "regexp";
  } else if (result.form === "exact") {
    result.form = "prefix";
  } else {
    result.source += ".*";
    result.form = "regexp";
  }
  if (index === 0) result.form = "suffix";
  return end;
}

function addCharacter(result: Compilation, { characters, index }: Place): number {
  const character = characters[index] as string;
  const escaped = character === "\\" ? characters[index + 1] : undefined;
  if (escaped !== undefined) {
    result.source += `\\${escaped}`;
    result.form = "regexp";
    return index + 2;
  }
  if (character === "*") result.source += "[^/]*";
  else if (character === "?") result.source += "[^/]";
  // moby means to escape | { } as well, but its table has no room for them.
  else if (/^[.+()$]$/.test(character)) result.source += `\\${character}`;
  else result.source += character;
  if (/^[*?[\]]$/.test(character)) result.form = "regexp";
  return index + 1;
}
