// SPDX-License-Identifier: Apache-2.0
import { removePrefix, removeSuffix, replaceAll, replaceFirst } from "./shell-pattern.ts";
import { syntaxError } from "./syntax-error.ts";
import { next, peek, readName, readWhile, startWords, type TextReader, type Words } from "./text-reader.ts";

/** How words are read. */
export interface ExpandOptions {
  /** The character that escapes others: the one of the Dockerfile, or a backslash in here-documents. */
  readonly escape: "\\" | "`";
  /** Quotes stay in the result. */
  readonly rawQuotes?: boolean | undefined;
  /** Escape characters stay in the result. */
  readonly rawEscapes?: boolean | undefined;
  /** Variables that are not set stay as written, instead of being empty. */
  readonly keepUnset?: boolean | undefined;
  /** Quotes are characters like all others; so the content of here-documents is read. */
  readonly skipQuotes?: boolean | undefined;
}

/** The values of variables, by name. */
export type Environment = ReadonlyMap<string, string>;

/**
 * Expands the variables of a word and removes its quotes, exactly as BuildKit's newest front end.
 * https://github.com/moby/buildkit/blob/v0.33.0/frontend/dockerfile/shell/lex.go
 *
 * @throws DOCKERFILE_SYNTAX without a place, which the caller adds with `errorAt`
 */
export function expandWord(word: string, environment: Environment, options: ExpandOptions): string {
  return expand(word, environment, options).text;
}

/**
 * Expands a text and then splits it at spaces that are neither quoted nor escaped; values are split too.
 *
 * Text before a nested word is lost: `80${PORT:-90}` gives `90`. BuildKit 0.25 does so, 0.13 did not.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function expandWords(text: string, environment: Environment, options: ExpandOptions): readonly string[] {
  return expand(text, environment, options).words;
}

interface Expansion {
  readonly text: string;
  readonly words: readonly string[];
}

interface Reader extends TextReader {
  readonly environment: Environment;
  readonly options: ExpandOptions;
  readonly source: string;
  rawEscapes: boolean;
  depth: number;
}

/** How deep words may be nested in words; more is an accident or an attack. */
const maxNesting = 200;

function expand(text: string, environment: Environment, options: ExpandOptions): Expansion {
  // Go's text scanner drops a byte order mark at the start.
  const characters = [...(text.startsWith("\ufeff") ? text.slice(1) : text)];
  const rawEscapes = options.rawEscapes ?? false;
  const reader: Reader = {
    source: text,
    characters,
    environment,
    options,
    position: 0,
    word: "",
    rawEscapes,
    depth: 0,
  };
  return readUntil(reader, { stop: undefined, rawEscapes });
}

function fail(reader: Reader, why: string): never {
  throw syntaxError(`could not expand "${reader.source}": ${why}`, { word: reader.source });
}

function readUntil(reader: Reader, { stop, rawEscapes }: { stop: string | undefined; rawEscapes: boolean }): Expansion {
  const outer = reader.rawEscapes;
  reader.rawEscapes = rawEscapes;
  reader.depth += 1;
  if (reader.depth > maxNesting) fail(reader, `words are nested deeper than ${maxNesting}`);
  const words = startWords(reader);
  let text = "";
  for (let character = peek(reader); character !== undefined; character = peek(reader)) {
    if (character === stop) {
      next(reader);
      reader.rawEscapes = outer;
      reader.depth -= 1;
      return { text, words: words.finish() };
    }
    text += readPart(reader, { character, words });
  }
  if (stop !== undefined) fail(reader, `a ${stop} is missing`);
  return { text, words: words.finish() };
}

/** Reads what a character starts: a variable, a quoted text, an escaped character or just itself. */
function readPart(reader: Reader, { character, words }: { character: string; words: Words }): string {
  if (character === "$") return words.split(readVariable(reader));
  if (character === "<") return words.append(readHeredocMark(reader));
  if (character === "'" && !reader.options.skipQuotes) return words.append(readSingleQuoted(reader));
  if (character === '"' && !reader.options.skipQuotes) return words.append(readDoubleQuoted(reader));
  next(reader);
  if (character !== reader.options.escape) return words.split(character);
  const kept = words.append(reader.rawEscapes ? character : "");
  return kept + words.append(next(reader) ?? "");
}

/** Blanks between `<<` and a name belong to the word, so that it is found as the start of a here-document. */
function readHeredocMark(reader: Reader): string {
  next(reader);
  if (peek(reader) !== "<") return "<";
  next(reader);
  return `<<${readWhile(reader, /^[ \t\r]$/)}`;
}

function readSingleQuoted(reader: Reader): string {
  const quote = reader.options.rawQuotes ? "'" : "";
  next(reader);
  let text = quote;
  for (let character = next(reader); character !== "'"; character = next(reader)) {
    if (character === undefined) fail(reader, "a single quote is not closed");
    text += character;
  }
  return text + quote;
}

function readDoubleQuoted(reader: Reader): string {
  const quote = reader.options.rawQuotes ? '"' : "";
  next(reader);
  let text = quote;
  for (let character = peek(reader); character !== '"'; character = peek(reader)) {
    if (character === undefined) fail(reader, "a double quote is not closed");
    if (character === "$") {
      text += readVariable(reader);
      continue;
    }
    next(reader);
    text += character === reader.options.escape ? readQuotedEscape(reader) : character;
  }
  next(reader);
  return text + quote;
}

/** Inside double quotes only a quote, a dollar and the escape character itself can be escaped. */
function readQuotedEscape(reader: Reader): string {
  const mark = reader.options.escape;
  const kept = reader.rawEscapes ? mark : "";
  const escaped = peek(reader);
  const isSpecial = escaped === '"' || escaped === "$" || escaped === mark;
  return kept + (isSpecial ? (next(reader) as string) : mark);
}

function readVariable(reader: Reader): string {
  next(reader);
  if (peek(reader) !== "{") {
    const name = readName(reader);
    if (name === "") return "$";
    return reader.environment.get(name) ?? (reader.options.keepUnset ? `$${name}` : "");
  }
  next(reader);
  const first = peek(reader);
  if (first === undefined) fail(reader, "a } is missing");
  if (first === "{" || first === "}" || first === ":") fail(reader, "a name must follow ${");
  const name = readName(reader);
  const modifier = next(reader);
  if (modifier === "}") return reader.environment.get(name) ?? (reader.options.keepUnset ? `\${${name}}` : "");
  if (modifier === "/") return readReplacement(reader, name);
  if (modifier === undefined) fail(reader, "a } is missing");
  return readModified(reader, { name, modifier });
}

/** `${name:-word}` and its relatives. */
function readModified(reader: Reader, { name, modifier }: { name: string; modifier: string }): string {
  const emptyIsUnset = modifier === ":";
  const kind = emptyIsUnset ? (next(reader) ?? "") : modifier;
  const shown = emptyIsUnset ? `:${kind}` : kind;
  const isPattern = kind === "#" || kind === "%";
  if ((isPattern && emptyIsUnset) || !(isPattern || kind === "-" || kind === "+" || kind === "?")) {
    fail(reader, `there is no modifier ${shown}`);
  }
  const word = readUntil(reader, { stop: "}", rawEscapes: isPattern }).text;
  const value = reader.environment.get(name);
  if (value === undefined && reader.options.keepUnset) return `\${${name}${shown}${word}}`;
  if (isPattern) return withoutMatch(reader, { value: value ?? "", kind, word });
  const isMissing = value === undefined || (emptyIsUnset && value === "");
  if (kind === "+") return isMissing ? "" : word;
  if (!isMissing) return value;
  if (kind === "-") return word;
  const why = word !== "" ? word : `it must not be ${value === undefined ? "unset" : "empty"}`;
  fail(reader, `${name}: ${why}`);
}

/** A doubled `#` or `%` takes away as much as possible, a single one as little. */
function withoutMatch(reader: Reader, { value, kind, word }: { value: string; kind: string; word: string }): string {
  const isGreedy = word.startsWith(kind);
  const pattern = isGreedy ? word.slice(1) : word;
  const remove = kind === "#" ? removePrefix : removeSuffix;
  return remove(value, { pattern, isGreedy }) ?? failPattern(reader);
}

/** `${name/pattern/replacement}`, with a second slash for all occurrences. */
function readReplacement(reader: Reader, name: string): string {
  const isAll = peek(reader) === "/";
  if (isAll) next(reader);
  const pattern = readUntil(reader, { stop: "/", rawEscapes: true }).text;
  const replacement = readUntil(reader, { stop: "}", rawEscapes: true }).text;
  const value = reader.environment.get(name);
  if (value === undefined && reader.options.keepUnset) return `\${${name}/${pattern}/${replacement}}`;
  const replace = isAll ? replaceAll : replaceFirst;
  return replace(value ?? "", { pattern, replacement }) ?? failPattern(reader);
}

function failPattern(reader: Reader): never {
  return fail(reader, "a backslash in a pattern can only escape * ? \\ } /");
}
