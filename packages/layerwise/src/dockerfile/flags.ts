// SPDX-License-Identifier: Apache-2.0
import type { Escape } from "./lines.ts";
import { syntaxError } from "./syntax-error.ts";

/** The flags of an instruction and what follows them. */
export interface FlagSplit {
  /** Each with its hyphens, unquoted. */
  readonly flags: readonly string[];
  readonly rest: string;
}

/**
 * Takes the flags off an instruction's text: words that start with two hyphens, up to the first that does not.
 * https://github.com/moby/buildkit/blob/v0.33.0/frontend/dockerfile/parser/split_command.go
 */
export function splitFlags(text: string, mark: Escape): FlagSplit {
  // BuildKit reads bytes here and takes each for a character, so that 0xA0 in "à" ends a word.
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  const flags: string[] = [];
  for (let position = 0; ; ) {
    while (isByteSpace(bytes.charAt(position))) position += 1;
    if (!bytes.startsWith("--", position)) return { flags, rest: decoded(bytes.slice(position)) };
    const word = readWord(bytes, { position, mark });
    position = word.end;
    if (word.text === "--") return { flags, rest: decoded(bytes.slice(position)) };
    flags.push(word.text);
  }
}

/** How a flag is given: with a text, as a switch, or any number of times with a text. */
export type FlagKind = "text" | "switch" | "list";

/** The flags that were given. */
export interface Flags {
  /** The value of a text flag; undefined if it was not given, or empty. */
  text(name: string): string | undefined;
  /** The value of a switch; undefined if it was not given. */
  switch(name: string): boolean | undefined;
  /** All values of a flag, empty ones too. */
  list(name: string): readonly string[];
  /** Flags that are not known, as given. */
  readonly unknown: readonly string[];
}

/**
 * Reads flags.
 *
 * @throws DOCKERFILE_SYNTAX without a place for a value that is missing or wrong, and a flag given twice
 */
export function readFlags(flags: readonly string[], kinds: Readonly<Record<string, FlagKind>>): Flags {
  const values = new Map<string, string[]>();
  const unknown: string[] = [];
  for (const flag of flags) {
    const [name, value] = splitFlag(flag);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    const earlier = values.get(name);
    if (kind === undefined) unknown.push(flag);
    else if (earlier !== undefined && kind !== "list")
      throw badFlag(flag, { name, why: "it is given twice", hint: "remove one" });
    else if (earlier !== undefined) earlier.push(checkedValue(flag, { name, kind, value }));
    else values.set(name, [checkedValue(flag, { name, kind, value })]);
  }
  return {
    text: (name) => values.get(name)?.[0] || undefined,
    switch: (name) => (values.has(name) ? values.get(name)?.[0] === "true" : undefined),
    list: (name) => values.get(name) ?? [],
    unknown,
  };
}

/** An error about a flag, without a place. */
export function badFlag(flag: string, { name, why, hint }: { name: string; why: string; hint?: string }): Error {
  return syntaxError(`could not read the flag --${name}: ${why}`, { hint, word: flag });
}

interface GivenFlag {
  readonly name: string;
  readonly kind: FlagKind;
  readonly value: string | undefined;
}

function checkedValue(flag: string, { name, kind, value }: GivenFlag): string {
  if (kind !== "switch") {
    if (value === undefined) throw badFlag(flag, { name, why: "it has no value", hint: `write --${name}=value` });
    return value;
  }
  const state = (value ?? "true").toLowerCase();
  if (state === "true" || state === "false") return state;
  throw badFlag(flag, { name, why: "it is either true or false", hint: `write --${name} or --${name}=false` });
}

function splitFlag(flag: string): readonly [string, string | undefined] {
  const equals = flag.indexOf("=");
  return equals === -1 ? [flag.slice(2), undefined] : [flag.slice(2, equals), flag.slice(equals + 1)];
}

/** Reads a word up to a space outside of quotes; quotes and escape characters go. */
function readWord(
  bytes: string,
  { position, mark }: { position: number; mark: Escape },
): { text: string; end: number } {
  let text = "";
  let quote = "";
  let end = position;
  for (; end < bytes.length; end++) {
    const character = bytes.charAt(end);
    if (quote === "" && isByteSpace(character)) break;
    if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character !== mark) text += character;
    else {
      end += 1;
      text += bytes.charAt(end);
    }
  }
  return { text, end: Math.min(end, bytes.length) };
}

function isByteSpace(character: string): boolean {
  return /^[\t-\r \u0085\u00a0]$/.test(character);
}

function decoded(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
