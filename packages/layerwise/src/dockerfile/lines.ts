// SPDX-License-Identifier: Apache-2.0
import { type LineSpan, type Piece, withoutEnding } from "./position.ts";
import { trimSpaceStart } from "./space.ts";

/** The character that continues lines and escapes others. */
export type Escape = "\\" | "`";

/** An instruction in one line: continuations joined, comments gone, spaces before it removed. */
export interface LogicalLine {
  readonly text: string;
  readonly pieces: readonly Piece[];
  readonly span: LineSpan;
  /** Whether the file ends where the line is to be continued. */
  readonly isOpen: boolean;
}

/** Most bytes of a line; BuildKit's scanner refuses longer ones. */
export const maxLineBytes = 65_535;

/** A text's lines with their newlines; a byte order mark before the first is dropped. */
export function splitLines(text: string): readonly string[] {
  const start = text.startsWith("\ufeff") ? text.slice(1) : text;
  return start.match(/[^\n]*\n|[^\n]+/g) ?? [];
}

/** The first line that is longer than BuildKit allows, counted from 0; undefined if there is none. */
export function tooLongLine(lines: readonly string[]): number | undefined {
  const index = lines.findIndex((line) => {
    const text = line.endsWith("\n") ? line.slice(0, -1) : line;
    return text.length * 3 > maxLineBytes && Buffer.byteLength(text, "utf8") > maxLineBytes;
  });
  return index === -1 ? undefined : index;
}

/** The next instruction at or after a line counted from 0; undefined if only comments and empty lines follow. */
export function nextLogicalLine(
  lines: readonly string[],
  { from, escape: mark }: { from: number; escape: Escape },
): LogicalLine | undefined {
  for (let start = from; start < lines.length; start++) {
    const line = withoutEnding(lines[start] as string);
    const text = trimSpaceStart(line);
    if (text === "" || text.startsWith("#")) continue;
    return joinContinuations(lines, { start, column: line.length - text.length + 1, text, mark });
  }
  return undefined;
}

interface FirstLine {
  readonly start: number;
  readonly column: number;
  readonly text: string;
  readonly mark: Escape;
}

function joinContinuations(lines: readonly string[], { start, column, text: first, mark }: FirstLine): LogicalLine {
  const pieces: Piece[] = [{ offset: 0, line: start + 1, column }];
  let [text, isContinued] = cutContinuation(first, mark);
  let end = start + 1;
  for (; isContinued && end < lines.length; end++) {
    const line = withoutEnding(lines[end] as string);
    const firstCharacter = trimSpaceStart(line).charAt(0);
    if (firstCharacter === "" || firstCharacter === "#") continue;
    pieces.push({ offset: text.length, line: end + 1, column: 1 });
    const [part, isMore] = cutContinuation(line, mark);
    text += part;
    isContinued = isMore;
  }
  return { text, pieces, span: { start, end }, isOpen: isContinued };
}

/** An escape character at the end, blanks behind it aside, continues a line unless another stands before it. */
function cutContinuation(line: string, mark: Escape): readonly [string, boolean] {
  let end = line.length;
  while (line.charAt(end - 1) === " " || line.charAt(end - 1) === "\t") end -= 1;
  const isContinued = line.charAt(end - 1) === mark && line.charAt(end - 2) !== mark;
  return isContinued ? [line.slice(0, end - 1), true] : [line, false];
}
