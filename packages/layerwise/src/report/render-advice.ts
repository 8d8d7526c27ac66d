// SPDX-License-Identifier: Apache-2.0
import type { Advice } from "../advise/advice.ts";
import { applyEdits, type Edit, type EditedFile, unifiedDiff } from "../advise/edit.ts";
import type { Palette } from "./render-text.ts";

/** The files that advice is about: their names, and their texts as they are. */
export type AdvisedFiles = Readonly<Record<EditedFile, { readonly name: string; readonly text: string }>>;

/** What edits do to the files, as unified diffs, one after the other. */
export function diffOf(edits: readonly Edit[], files: AdvisedFiles): string {
  return (["dockerfile", "ignore"] as const)
    .map((file) => {
      const own = edits.filter((edit) => edit.file === file);
      const { name, text } = files[file];
      return own.length === 0 ? "" : unifiedDiff(name, { before: text, after: applyEdits(text, own) });
    })
    .join("");
}

/** Advice for people: what was seen, what it cost, what to write instead, and what nobody can know. */
export function renderAdvice(
  advice: readonly Advice[],
  { files, palette }: { files: AdvisedFiles; palette: Palette },
): string {
  return advice
    .map((one) => {
      const { line, rule, seen, unknown, edits, isSafe } = one;
      const diff = diffOf(edits, files);
      const lines = [
        "",
        `${palette.bold(`advice for line ${line}`)} ${palette.dim(`[${rule}]`)}`,
        `  seen    ${seen}`,
        `  cost    ${costText(one)}`,
        `  advice  ${one.advice}`,
        `  unknown ${unknown}`,
        ...diff
          .split("\n")
          .filter((text) => text !== "")
          .map((text) => `    ${text}`),
        ...(isSafe ? ["  layerwise fix applies this"] : []),
      ];
      return `${lines.join("\n")}\n`;
    })
    .join("");
}

function costText({ cost: { steps, seconds } }: Advice): string {
  if (steps === 0) return "nothing in this build by itself";
  const made = `${steps} step${steps === 1 ? "" : "s"}`;
  return seconds === 0 ? made : `${made}, ${seconds.toFixed(2)} s when they last ran`;
}

/** The same for machines. */
export function adviceDocument(advice: readonly Advice[], files: AdvisedFiles): readonly object[] {
  return advice.map(({ edits, ...one }) => ({ ...one, diff: diffOf(edits, files) }));
}
