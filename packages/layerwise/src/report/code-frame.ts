// SPDX-License-Identifier: Apache-2.0
import type { SourceRange } from "../error.ts";

/** Lines shown before and after the ones that an error is about. */
const linesAround = 2;

/** The lines of a Dockerfile around a place, the place itself marked. Empty if the text does not reach that far. */
export function codeFrame(text: string, { start, end }: SourceRange): string {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  if (start.line > lines.length) return "";
  const first = Math.max(1, start.line - linesAround);
  const last = Math.min(lines.length, end.line + linesAround);
  const width = String(last).length;
  const frame: string[] = [];
  for (let line = first; line <= last; line++) {
    const isMarked = line >= start.line && line <= end.line;
    frame.push(`${isMarked ? ">" : " "} ${String(line).padStart(width)} | ${lines[line - 1]}`.trimEnd());
    if (start.line === end.line && line === start.line && start.column > 1) {
      const length = Math.max(1, end.column - start.column + 1);
      frame.push(`  ${" ".repeat(width)} | ${" ".repeat(start.column - 1)}${"^".repeat(length)}`);
    }
  }
  return frame.join("\n");
}
