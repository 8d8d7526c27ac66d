// SPDX-License-Identifier: Apache-2.0
import type { Difference } from "../verify/compare-images.ts";
import type { Verification } from "../verify/verify.ts";
import type { Palette } from "./render-text.ts";

/** What a verification found, for people: a line a difference, under the instruction that made the path. */
export function renderVerification(verification: Verification, palette: Palette): string {
  const { outcome, one, other, differences, varying } = verification;
  const lines = [...differenceLines(differences), ...varyingLines(varying)];
  switch (outcome) {
    case "own":
      lines.push("nothing to compare: an engine makes all of this image");
      break;
    case "equal":
      lines.push(`${palette.green("equal")}: no container can tell ${one} from ${other}`);
      break;
    case "different":
      lines.push(`${palette.yellow("different")}: ${one} and ${other} in ${countOf(differences)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The same as a JSON document with a final newline. */
export function renderVerificationJson(verification: Verification): string {
  return `${JSON.stringify({ version: 1, ...verification }, undefined, 2)}\n`;
}

/** Differences as lines, those of one instruction together. */
export function differenceLines(differences: readonly Difference[]): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const difference of differences) {
    const head = difference.path === undefined ? "config" : (difference.instruction ?? "an unknown instruction");
    groups.set(head, [...(groups.get(head) ?? []), lineOf(difference)]);
  }
  return [...groups].flatMap(([head, lines]) => [head.replace(/\s+/g, " "), ...lines.map((line) => `  ${line}`)]);
}

function lineOf({ path, field, one, other }: Difference): string {
  const what = path ?? field;
  if (field === "presence") return `${what}: only in the ${one === undefined ? "second" : "first"} (${one ?? other})`;
  const values = `${one ?? "none"}, and not ${other ?? "none"}`;
  return path === undefined ? `${field}: ${values}` : `${what}: ${field} ${values}`;
}

function varyingLines(varying: readonly Difference[]): readonly string[] {
  if (varying.length === 0) return [];
  return [`left out, since two builds of the engine differ in it too: ${countOf(varying)}`];
}

function countOf(differences: readonly Difference[]): string {
  return `${differences.length} place${differences.length === 1 ? "" : "s"}`;
}
