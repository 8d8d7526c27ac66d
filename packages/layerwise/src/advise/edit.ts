// SPDX-License-Identifier: Apache-2.0
import { createTwoFilesPatch } from "diff";

/** The files that advice may change. */
export type EditedFile = "dockerfile" | "ignore";

/** A change of whole lines. */
export interface Edit {
  readonly file: EditedFile;
  /** The first line that goes, or before which lines come, from 1; one past the last line: at the end. */
  readonly line: number;
  readonly remove: number;
  readonly insert: readonly string[];
}

/** Applies edits that do not touch the same lines. The newline at the end stays, or comes if lines are added there. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const lines = linesOf(text);
  for (const { line, remove, insert } of [...edits].sort((one, other) => other.line - one.line)) {
    lines.splice(line - 1, remove, ...insert);
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** The lines of a text, without what ends them. */
export function linesOf(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/** Whether two edits touch the same lines. */
export function overlap(one: Edit, other: Edit): boolean {
  if (one.file !== other.file) return false;
  const [first, second] = one.line <= other.line ? [one, other] : [other, one];
  return first.line === second.line ? first.remove > 0 && second.remove > 0 : first.line + first.remove > second.line;
}

/** Lines shown around what changes. */
const context = 2;

/** What edits do to a file, as a unified diff. */
export function unifiedDiff(name: string, { before, after }: { before: string; after: string }): string {
  const patch = createTwoFilesPatch(`a/${name}`, `b/${name}`, before, after, undefined, undefined, { context });
  return patch.slice(patch.indexOf("--- "));
}
