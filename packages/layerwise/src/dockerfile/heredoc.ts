// SPDX-License-Identifier: Apache-2.0
import { expandWords } from "./expand.ts";
import type { Heredoc } from "./instruction.ts";
import { withoutEnding } from "./position.ts";
import { syntaxError } from "./syntax-error.ts";

/** What `<<NAME` says of a here-document, before its content is read. */
export interface HeredocHeading extends Omit<Heredoc, "content"> {
  /** Whether blanks stand before the name; BuildKit 0.13 saw no here-document then, 0.25 does. */
  readonly isSpaced: boolean;
}

/** What an instruction's line announces and the lines behind it hold. */
export interface HeredocReading {
  readonly heredocs: readonly Heredoc[];
  /** The line after the last here-document, counted from 0. */
  readonly end: number;
  /** Whether front ends of different versions see different here-documents. */
  readonly isDisputed: boolean;
}

/**
 * Reads the here-documents that an instruction announces.
 * https://github.com/moby/buildkit/blob/v0.33.0/frontend/dockerfile/parser/parser.go (Parse, heredocsFromLine)
 *
 * @param from the line after the instruction, counted from 0
 * @throws DOCKERFILE_SYNTAX without a place if one does not end
 */
export function readHeredocs(
  text: string,
  { lines, from }: { lines: readonly string[]; from: number },
): HeredocReading {
  const headings = headingsIn(text);
  const isDisputed = headings.some(({ isSpaced }) => isSpaced);
  const all = readContents(headings, { lines, from });
  if (typeof all !== "string") return { ...all, isDisputed };
  // The newest front end fails on `$((1 << 2))`; the others must be able to go on.
  const certain = readContents(
    headings.filter(({ isSpaced }) => !isSpaced),
    { lines, from },
  );
  if (isDisputed && typeof certain !== "string") return { ...certain, isDisputed };
  const name = typeof certain === "string" ? certain : all;
  throw syntaxError(`could not find the end of the here-document ${name}: no line repeats its name`, {
    hint: `end it with a line that is ${name} and nothing else`,
    word: name,
  });
}

/** What a word says of a here-document, `<<NAME` or `3<<-"NAME"`; undefined if it starts none. */
export function parseHeading(word: string): HeredocHeading | undefined {
  const [, number, dash, blanks, quoted] = /^([0-9]*)<<(-?)([\t\n\f\r ]*)([^<]*)$/.exec(word) ?? [];
  if (quoted === undefined || quoted === "") return undefined;
  const [name, ...others] = namesIn(quoted, false);
  const [raw] = namesIn(quoted, true);
  if (name === undefined || raw === undefined || others.length > 0) return undefined;
  return {
    name,
    expand: quotesIn(name) === quotesIn(raw),
    chomp: dash === "-",
    fileDescriptor: Number(number),
    isSpaced: blanks !== "",
  };
}

/** Drops the tabs at the start of all lines, as `<<-` asks for. */
export function chompHeredoc(content: string): string {
  return content.replace(/(^|\n)\t+/g, "$1");
}

const nothing: ReadonlyMap<string, string> = new Map();

function headingsIn(text: string): readonly HeredocHeading[] {
  if (!text.includes("<<")) return [];
  const raw = { escape: "\\", rawQuotes: true, rawEscapes: true, keepUnset: true } as const;
  const words = orNone(() => expandWords(text, nothing, raw));
  return words.map((word) => parseHeading(word)).filter((heading) => heading !== undefined);
}

function namesIn(word: string, rawQuotes: boolean): readonly string[] {
  return orNone(() => expandWords(word, nothing, { escape: "\\", rawQuotes, keepUnset: true }));
}

/** A text with an open quote is nothing that BuildKit looks into for here-documents. */
function orNone(words: () => readonly string[]): readonly string[] {
  try {
    return words();
  } catch {
    return [];
  }
}

function quotesIn(text: string): number {
  return text.match(/['"]/g)?.length ?? 0;
}

/** The name of a here-document that does not end is returned instead. */
function readContents(
  headings: readonly HeredocHeading[],
  { lines, from }: { lines: readonly string[]; from: number },
): Omit<HeredocReading, "isDisputed"> | string {
  const heredocs: Heredoc[] = [];
  let start = from;
  for (const { isSpaced: _, ...heading } of headings) {
    const end = lines.findIndex((line, index) => index >= start && endsHeredoc(line, heading));
    if (end === -1) return heading.name;
    heredocs.push({ ...heading, content: lines.slice(start, end).join("") });
    start = end + 1;
  }
  return { heredocs, end: start };
}

function endsHeredoc(line: string, { name, chomp }: Omit<Heredoc, "content">): boolean {
  const text = withoutEnding(line);
  return (chomp ? text.replace(/^\t+/, "") : text) === name;
}
