// SPDX-License-Identifier: Apache-2.0
import type { SourceRange } from "../error.ts";
import { trimSpaceStart } from "./space.ts";

/** A part of a logical line: where it starts there and in the file. Lines and columns count from 1. */
export interface Piece {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** A part of a file's lines; both numbers count from 0, the end is exclusive. */
export interface LineSpan {
  readonly start: number;
  readonly end: number;
}

/** The range of whole lines, from the first character of the instruction to the end of its last line. */
export function rangeOfLines(lines: readonly string[], { span, file }: { span: LineSpan; file: string }): SourceRange {
  const first = withoutEnding(lines[span.start] ?? "");
  const last = withoutEnding(lines[span.end - 1] ?? "");
  const indent = first.length - trimSpaceStart(first).length;
  return {
    file,
    start: { line: span.start + 1, column: indent + 1 },
    end: { line: span.end, column: Math.max(last.length, 1) },
  };
}

/** The range of a part of a logical line. */
export function rangeOfText(
  pieces: readonly Piece[],
  { offset, length, file }: { offset: number; length: number; file: string },
): SourceRange {
  return { file, start: placeOf(pieces, offset), end: placeOf(pieces, offset + Math.max(length, 1) - 1) };
}

/** A line without its newline. */
export function withoutEnding(line: string): string {
  return line.replace(/[\r\n]+$/, "");
}

function placeOf(pieces: readonly Piece[], offset: number): SourceRange["start"] {
  const piece = pieces.findLast((candidate) => candidate.offset <= offset);
  if (piece === undefined) return { line: 1, column: 1 };
  return { line: piece.line, column: piece.column + offset - piece.offset };
}
