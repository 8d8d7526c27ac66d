// SPDX-License-Identifier: Apache-2.0
import type { Plan } from "../plan/plan.ts";
import { formatPlatform } from "../spec/platform.ts";
import { oneLine } from "./one-line.ts";
import { plannedReasons, plannedSteps } from "./planned-steps.ts";
import type { Report, ReportedReason, ReportedStep } from "./report.ts";
import { renderTable } from "./table.ts";

/** Colours for a terminal; each takes a text and gives it back, with or without escapes. */
export interface Palette {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

/** The closing summary of a build: a table of steps, what was saved, and where the image is. */
export function renderReport(report: Report, palette: Palette): string {
  const lines = [
    ...stepTable(report.steps, palette),
    ...reasonLines(report.reasons),
    ...report.checkpoints.refused.map(({ tag, why }) => `not used: ${tag}, ${why}`),
    ...savedLine(report),
    ...whyLines(report, palette),
    ...report.warnings.map((warning) => palette.yellow(`warning: ${warning}`)),
    "",
    `${palette.bold(report.route)} in ${report.seconds.total.toFixed(2)} s: ${trafficOf(report)}`,
    `${palette.dim("digest")} ${report.image.digest}`,
    ...report.image.references.map((reference) => `${palette.dim("tag   ")} ${reference}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** What a plan says will happen. */
export function renderPlan(plan: Plan, palette: Palette): string {
  const steps = plannedSteps(plan).map(
    (step): ReportedStep => ({ ...step, seconds: 0, start: undefined, bytes: undefined }),
  );
  const lines = [
    `${palette.dim("route   ")} ${palette.bold(plan.route)}`,
    `${palette.dim("platform")} ${formatPlatform(plan.platform)}`,
    ...reasonLines(plannedReasons(plan)),
    "",
    ...stepTable(steps, palette),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Bytes as people read them: powers of 1000, three digits. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  // What rounds up to 1000 is one of the next unit.
  while (Number(value.toPrecision(3)) >= 1000 && unit < units.length - 1) {
    value = (unit === 0 ? value : Number(value.toPrecision(3))) / 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** Longest instruction text in a table. */
const instructionWidth = 44;

function stepTable(steps: readonly ReportedStep[], palette: Palette): readonly string[] {
  if (steps.length === 0) return [];
  const hasStages = new Set(steps.map((step) => step.stage)).size > 1;
  const isPlan = steps.every((step) => step.bytes === undefined && step.seconds === 0);
  const rows = steps.map((step) => [
    `${hasStages ? `${step.stage} ` : ""}${step.line}`,
    oneLine(step.instruction, instructionWidth),
    step.state === "reused" ? palette.green("reused") : palette.yellow("made"),
    step.by,
    step.why,
    ...(isPlan
      ? []
      : [
          step.seconds === 0 ? "" : `${step.seconds.toFixed(2)} s`,
          step.bytes === undefined ? "" : formatBytes(step.bytes),
        ]),
  ]);
  const head = ["line", "step", "", "by", "why", ...(isPlan ? [] : ["time", "size"])];
  return renderTable([head.map(palette.dim), ...rows], { right: isPlan ? [] : [5, 6] });
}

function reasonLines(reasons: readonly ReportedReason[]): readonly string[] {
  const seen = new Set<string>();
  return reasons.flatMap(({ name, text, line }) => {
    if (seen.has(text)) return [];
    seen.add(text);
    return [`needs an engine: ${text}${line === undefined ? "" : ` (line ${line})`} [${name}]`];
  });
}

/** Most steps that the closing paragraph explains; those that follow from them are only counted. */
const maxExplained = 5;

/** Why steps were made: each place where something changed, with what, and how much followed from it. */
function whyLines({ explanation }: Report, palette: Palette): readonly string[] {
  if (explanation === undefined || explanation.steps.length === 0) return [];
  const { before, steps } = explanation;
  const own = steps.filter(({ cause }) => cause !== "parent" && cause !== "between");
  // Without a build before, all steps have one and the same cause.
  const shown = before === undefined ? own.slice(0, 1) : own.slice(0, maxExplained);
  const lines = shown.map(({ line, text }) => (before === undefined ? `why: ${text}` : `why line ${line}: ${text}`));
  const left = before === undefined ? 0 : steps.length - shown.length;
  if (left > 0)
    lines.push(
      `     ${left} more step${left === 1 ? "" : "s"} because of ${own.length > shown.length ? "these and others" : shown.length === 1 ? "this" : "these"}`,
    );
  if (before !== undefined) lines.push(palette.dim(`     compared with ${before.reference} of ${before.time}`));
  return lines;
}

function savedLine({ checkpoints }: Report): readonly string[] {
  const count = checkpoints.saved.length;
  return count === 0 ? [] : [`saved ${count} checkpoint${count === 1 ? "" : "s"} for later builds`];
}

function trafficOf({ requests, blobs }: Report): string {
  const parts = [
    `${requests.count} requests`,
    `${formatBytes(requests.sent)} up`,
    `${formatBytes(requests.received)} down`,
  ];
  if (blobs.mounted.count > 0) parts.push(`${formatBytes(blobs.mounted.bytes)} mounted`);
  return parts.join(", ");
}
