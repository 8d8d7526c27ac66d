// SPDX-License-Identifier: Apache-2.0

/**
 * Makes a regular expression from one in Go's syntax, as far as ignore patterns lead to it. Undefined if Go refuses it,
 * or if it needs what is left out here: `\p` and `\Q`.
 * https://pkg.go.dev/regexp/syntax
 */
export function goRegExp(source: string): RegExp | undefined {
  const characters = [...source];
  const writer: Writer = { source: "", previous: "nothing", depth: 0 };
  for (let index = 0; index < characters.length; ) {
    const part = partAt(characters, index);
    if (part === undefined || !add(writer, part)) return undefined;
    index = part.end;
  }
  return writer.depth === 0 ? new RegExp(writer.source, "u") : undefined;
}

interface Part {
  readonly kind: "atom" | "open" | "close" | "or" | "repeat";
  /** In JavaScript's syntax. */
  readonly source: string;
  readonly end: number;
}

interface Writer {
  source: string;
  previous: "nothing" | "atom" | "repeat";
  depth: number;
}

/** Whether the part may stand there. */
function add(writer: Writer, { kind, source }: Part): boolean {
  if (kind === "repeat" && writer.previous !== "atom") return false;
  if (kind === "close" && writer.depth === 0) return false;
  writer.source += source;
  writer.depth += kind === "open" ? 1 : kind === "close" ? -1 : 0;
  writer.previous = kind === "repeat" ? "repeat" : kind === "atom" || kind === "close" ? "atom" : "nothing";
  return true;
}

/** As in Go. */
const maxRepetition = 1000;

const digits = "0-9";
const wordCharacters = "0-9A-Za-z_";
const spaces = "\\t\\n\\f\\r ";

/** What Go's escapes stand for inside a class; upper case negates. */
const perlClasses: Readonly<Record<string, string>> = { d: digits, w: wordCharacters, s: spaces };

/** Escapes of single characters. */
const controls: Readonly<Record<string, number>> = { a: 7, t: 9, n: 10, v: 11, f: 12, r: 13 };

/** `[:name:]` inside a class. */
const namedClasses: ReadonlyMap<string, string> = new Map([
  ["alnum", "0-9A-Za-z"],
  ["alpha", "A-Za-z"],
  ["ascii", "\\0-\\x7f"],
  ["blank", "\\t "],
  ["cntrl", "\\0-\\x1f\\x7f"],
  ["digit", digits],
  ["graph", "!-~"],
  ["lower", "a-z"],
  ["print", " -~"],
  ["punct", "!-\\/:-@\\[-`\\{-~"],
  ["space", "\\t-\\r "],
  ["upper", "A-Z"],
  ["word", wordCharacters],
  ["xdigit", "0-9A-Fa-f"],
]);

function partAt(characters: readonly string[], index: number): Part | undefined {
  const character = characters[index] as string;
  const end = index + 1;
  if (character === "[") return classAt(characters, index);
  if (character === "\\") return escapeAt(characters, index);
  if (character === "(") return { kind: "open", source: "(?:", end };
  if (character === ")") return { kind: "close", source: ")", end };
  if (character === "|") return { kind: "or", source: "|", end };
  if (character === "*" || character === "?" || character === "+") return { kind: "repeat", source: character, end };
  if (character === "{") return repetitionAt(characters, index);
  // JavaScript repeats groups, but no assertions.
  if (character === "^" || character === "$") return atom(`(?:${character})`, end);
  return atom(character === "." ? "[^\\n]" : quoted(character), end);
}

function atom(source: string, end: number): Part {
  return { kind: "atom", source, end };
}

/** `{2}`, `{2,}` or `{2,3}`; any other brace is an ordinary character. */
function repetitionAt(characters: readonly string[], index: number): Part | undefined {
  const rest = characters.slice(index).join("");
  const [source, least, , most] = /^\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/.exec(rest) ?? [];
  if (source === undefined) return atom(quoted("{"), index + 1);
  const isTooMuch = Number(least) > maxRepetition || Number(most ?? 0) > maxRepetition;
  if (isTooMuch || Number(least) > Number(most ?? least)) return undefined;
  return { kind: "repeat", source, end: index + source.length };
}

function escapeAt(characters: readonly string[], index: number): Part | undefined {
  const escaped = characters[index + 1] ?? "";
  const end = index + 2;
  const perl = perlClasses[escaped.toLowerCase()];
  if (perl !== undefined) return atom(`[${escaped === escaped.toLowerCase() ? "" : "^"}${perl}]`, end);
  if (escaped === "A") return atom("(?:^)", end);
  if (escaped === "z") return atom("(?:$)", end);
  if (escaped === "b" || escaped === "B") return atom(`(?:\\${escaped})`, end);
  return singleEscapeAt(characters, index);
}

/** An escape that stands for one character, by its name, by its code or by itself. */
function singleEscapeAt(characters: readonly string[], index: number): Part | undefined {
  const rest = characters.slice(index + 1).join("");
  const [octal] = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest) ?? [];
  if (octal !== undefined) return atom(hex(Number.parseInt(octal, 8)), index + 1 + octal.length);
  const [hexadecimal, braced, bare] = /^x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(rest) ?? [];
  if (hexadecimal !== undefined) {
    const code = Number.parseInt(braced ?? bare ?? "", 16);
    return code > 0x10ffff ? undefined : atom(hex(code), index + 1 + hexadecimal.length);
  }
  const escaped = characters[index + 1] ?? "";
  const code = controls[escaped] ?? (isPunctuation(escaped) ? escaped.codePointAt(0) : undefined);
  return code === undefined ? undefined : atom(hex(code), index + 2);
}

/** ASCII but neither letter nor digit. */
function isPunctuation(character: string): boolean {
  const code = character.codePointAt(0) ?? 0x80;
  return code < 0x80 && !/^[0-9A-Za-z]$/.test(character);
}

function classAt(characters: readonly string[], start: number): Part | undefined {
  const isNegated = characters[start + 1] === "^";
  let index = start + (isNegated ? 2 : 1);
  let source = "";
  for (let isFirst = true; isFirst || characters[index] !== "]"; isFirst = false) {
    const part = namedClassAt(characters, index) ?? perlClassAt(characters, index) ?? rangeAt(characters, index);
    if (part === undefined || part === "bad") return undefined;
    source += part.source;
    index = part.end;
  }
  return atom(`[${isNegated ? "^" : ""}${source}]`, index + 1);
}

function namedClassAt(characters: readonly string[], index: number): Part | "bad" | undefined {
  if (characters[index] !== "[" || characters[index + 1] !== ":") return undefined;
  const rest = characters.slice(index + 2).join("");
  const close = rest.indexOf(":]");
  if (close === -1) return undefined;
  const name = rest.slice(0, close);
  const isNegated = name.startsWith("^");
  const ranges = namedClasses.get(isNegated ? name.slice(1) : name);
  if (ranges === undefined) return "bad";
  return atom(isNegated ? complement(ranges) : ranges, index + 2 + [...name].length + 2);
}

function perlClassAt(characters: readonly string[], index: number): Part | undefined {
  const escaped = characters[index] === "\\" ? (characters[index + 1] ?? "") : "";
  const ranges = perlClasses[escaped.toLowerCase()];
  if (ranges === undefined) return undefined;
  return atom(escaped === escaped.toLowerCase() ? ranges : complement(ranges), index + 2);
}

function rangeAt(characters: readonly string[], index: number): Part | undefined {
  const low = classCharacterAt(characters, index);
  if (low === undefined) return undefined;
  const next = characters[low.end + 1];
  if (characters[low.end] !== "-" || next === undefined || next === "]") return low;
  const high = classCharacterAt(characters, low.end + 1);
  if (high === undefined || codeOf(high.source) < codeOf(low.source)) return undefined;
  return atom(`${low.source}-${high.source}`, high.end);
}

function classCharacterAt(characters: readonly string[], index: number): Part | undefined {
  const character = characters[index];
  if (character === undefined) return undefined;
  return character === "\\" ? singleEscapeAt(characters, index) : atom(quoted(character), index + 1);
}

/** All characters but those of some ranges, for use inside a class. */
function complement(ranges: string): string {
  const inside = new RegExp(`^[${ranges}]$`, "u");
  let source = "\\u{80}-\\u{10ffff}";
  for (let code = 0; code < 0x80; code++) {
    if (!inside.test(String.fromCharCode(code))) source += hex(code);
  }
  return source;
}

/** Any character as an ordinary one, inside and outside of classes. */
function quoted(character: string): string {
  return hex(character.codePointAt(0) as number);
}

function hex(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

function codeOf(source: string): number {
  return Number.parseInt(source.slice("\\u{".length), 16);
}
