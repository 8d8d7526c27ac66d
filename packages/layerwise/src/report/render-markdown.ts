// SPDX-License-Identifier: Apache-2.0
import type { Analysis, Variant } from "../analyze/analysis.ts";
import { actualText, backtestSummary, differenceTexts, shapeText, uncomparedTexts } from "./backtest-words.ts";
import { costText, remarks, routesText, short, whyText } from "./render-analysis.ts";
import { formatBytes } from "./render-text.ts";
import type { Report } from "./report.ts";

/** A build's report as GitHub's Markdown, for a job summary. */
export function renderReportMarkdown(report: Report): string {
  const { steps, seconds, requests, image, checkpoints } = report;
  const rows = steps.map((step) => [
    `${step.stage} ${step.line}`,
    code(step.instruction),
    step.state,
    step.by,
    text(step.why),
    step.seconds === 0 ? "" : `${step.seconds.toFixed(2)} s`,
    step.bytes === undefined ? "" : formatBytes(step.bytes),
  ]);
  const moved = requests.sent + requests.received;
  return joined([
    `### ${text(image.references[0] ?? report.dockerfile)}: ${report.route} in ${seconds.total.toFixed(2)} s`,
    `${requests.count} requests, ${formatBytes(moved)} moved by layerwise for an image of ${formatBytes(image.bytes)}.`,
    ...report.reasons.map(
      ({ text: why, line }) => `- needs an engine: ${text(why)}${line === undefined ? "" : ` (line ${line})`}`,
    ),
    ...report.warnings.map((warning) => `- warning: ${text(warning)}`),
    ...checkpoints.refused.map(({ tag, why }) => `- not used: ${code(tag)}, ${text(why)}`),
    table(["step", "instruction", "", "by", "why", "time", "size"], rows),
    ...(report.explanation?.steps ?? []).map(
      ({ stage, line, text: what }) => `- ${text(stage)} line ${line}: ${text(what)}`,
    ),
    `Digest ${code(image.digest)}`,
  ]);
}

/** An analysis as GitHub's Markdown. */
export function renderAnalysisMarkdown(analysis: Analysis): string {
  const { history, branch, variants, costs } = analysis;
  const fixed = variants.filter(({ kind }) => kind === "fixed");
  return joined([
    `### ${history.commits} commits of ${text(branch)}, ${short(history.oldest)} to ${short(history.newest)}`,
    ...remarks(analysis).map((remark) => `- ${text(remark)}`),
    ...variants.slice(0, 1).flatMap((variant) => variantParts(variant, analysis)),
    ...(fixed.length === 0
      ? []
      : [
          table(
            ["files", "reuse", "assemble", "engine", "cost"],
            fixed.map(({ name, summary: { routes, cost } }) => [
              text(name),
              String(routes.reuse),
              String(routes.assemble),
              String(routes.engine),
              costText(cost, costs),
            ]),
          ),
        ]),
    ...backtestParts(analysis),
  ]);
}

function backtestParts({ backtest }: Analysis): readonly string[] {
  if (backtest === undefined) return [];
  const wrong = backtest.commits.filter(({ agrees }) => !agrees);
  const rows = wrong.map((commit) => [
    code(short(commit.id)),
    text(shapeText(commit.predicted)),
    text(actualText(commit)),
    differenceTexts(commit).map(text).join("; "),
  ]);
  return [
    `${text(backtestSummary(backtest))}.`,
    ...(rows.length === 0 ? [] : [table(["commit", "predicted", "built", "what did not agree"], rows)]),
    ...uncomparedTexts(backtest).map((remark) => `- ${text(remark)}`),
  ];
}

function variantParts({ rows, summary }: Variant, { costs }: Analysis): readonly string[] {
  const { unit } = costs;
  const cells = rows.map((row) => [
    `${text(row.stage)} ${row.line}`,
    code(row.text),
    `${row.made} of ${row.commits}`,
    String(row.own),
    costText(row.total, { unit, isKnown: row.cost.from !== "none" }),
    text(whyText(row)),
  ]);
  const minutes =
    summary.minutesPerMonth === undefined ? [] : [`${summary.minutesPerMonth.toFixed(1)} minutes a month.`];
  return [
    `${routesText(summary)}.`,
    ...minutes,
    table(["step", "instruction", "made", "by itself", "cost", "why"], cells),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function joined(parts: readonly string[]): string {
  let result = "";
  for (const [index, part] of parts.entries()) {
    const isList = part.startsWith("- ") && (parts[index - 1] ?? "").startsWith("- ");
    result += `${index === 0 ? "" : isList ? "\n" : "\n\n"}${part}`;
  }
  return `${result}\n`;
}

/** Text of others in which nothing is markup. */
function text(value: string): string {
  return value.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>()#|~&!+-]/g, "\\$&");
}

/** Code in a table: a bar would end the cell, and backquotes the code. */
function code(value: string): string {
  const line = value.replace(/\s+/g, " ").trim().replaceAll("|", "\\|");
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
}
