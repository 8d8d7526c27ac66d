// SPDX-License-Identifier: Apache-2.0
import type { Before, Explanation } from "../explain/cause.ts";
import { describeCause } from "../explain/describe-cause.ts";
import type { BuildRecord } from "../spec/build-record.ts";
import { historyRow } from "./history-row.ts";
import type { Palette } from "./render-text.ts";
import { renderTable } from "./table.ts";

/** Why each step was made, for people. */
export function renderExplanation({ before, steps }: Explanation, palette: Palette): string {
  const hasStages = new Set(steps.map(({ stage }) => stage)).size > 1;
  const lines = [printable(beforeLine(before))];
  if (steps.length === 0) lines.push("nothing is to be made: every step is as it was");
  for (const { stage, line, instruction, causes } of steps) {
    const place = `${hasStages ? `${stage} ` : ""}line ${line}`;
    lines.push("", `${palette.bold(place)}  ${printable(instruction.replace(/\s+/g, " "))}`);
    for (const cause of causes) {
      const said = describeCause(cause);
      const [text, details] = [printable(said.text), said.details.map(printable)];
      lines.push(`  ${cause.kind === "parent" ? palette.dim(text) : palette.yellow(text)}`);
      lines.push(...details.map((detail) => `    ${detail}`));
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Names of files and texts of records may hold what a terminal would obey. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\ufffd");
}

function beforeLine(before: Before): string {
  switch (before.kind) {
    case "build": {
      const { name, digest, time, revision } = before;
      const of = [digest, time, revision && `revision ${revision}`].filter((part) => part !== undefined && part !== "");
      return `compared with ${name} (${of.join(", ")})`;
    }
    case "no-build":
      return before.looked.length === 0
        ? "compared with nothing: there is no build before"
        : `compared with nothing: there is no ${before.looked.join(" and no ")}`;
    case "no-record":
      return `compared with nothing: the build of ${before.reference} left no record (${before.why})`;
  }
}

/**
 * The same for machines.
 *
 * @param more what the command has besides: advice, or notes
 */
export function renderExplanationJson(explanation: Explanation, more: object = {}): string {
  return `${JSON.stringify({ version: 1, ...explanation, ...more }, undefined, 2)}\n`;
}

/** Builds of the past as a table, the newest first. */
export function renderHistory(builds: readonly BuildRecord[], palette: Palette): string {
  const rows = builds.map((build) => [...Object.values(historyRow(build)), (build.image ?? "").slice(0, 19)]);
  const head = ["time", "revision", "branch", "route", "made", "took", "up", "down", "image"].map(palette.dim);
  return `${renderTable([head, ...rows], { right: [4, 5, 6, 7] }).join("\n")}\n`;
}

/** The same for machines: all that the records say. */
export function renderHistoryJson(builds: readonly BuildRecord[]): string {
  return `${JSON.stringify({ version: 1, builds }, undefined, 2)}\n`;
}
