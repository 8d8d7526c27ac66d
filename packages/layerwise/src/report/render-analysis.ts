// SPDX-License-Identifier: Apache-2.0
import type { Analysis, Row, Summary, Variant } from "../analyze/analysis.ts";
import { actualText, backtestSummary, differenceTexts, shapeText, uncomparedTexts } from "./backtest-words.ts";
import { causeWords } from "./cause-words.ts";
import { oneLine } from "./one-line.ts";
import type { Palette } from "./render-text.ts";
import { renderTable } from "./table.ts";

/** An analysis as a JSON document with a final newline. */
export function renderAnalysisJson(analysis: Analysis): string {
  return `${JSON.stringify(analysis, undefined, 2)}\n`;
}

/** An analysis for a terminal. */
export function renderAnalysis(analysis: Analysis, palette: Palette): string {
  const { history, branch, variants } = analysis;
  const lines = [
    `${palette.bold(`${history.commits} commits`)} of ${branch}, ${short(history.oldest)} to ${short(history.newest)}, ${days(history.days)}`,
    ...remarks(analysis).map((remark) => palette.yellow(remark)),
    ...variants.flatMap((variant) => ["", ...variantLines(variant, { analysis, palette })]),
    ...comparison(analysis, palette),
    ...backtestLines(analysis, palette),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** What whoever reads the figures must know: where the history ends, what was assumed, what git does not tell. */
export function remarks({ history, bases, notes, costs, variants }: Analysis): readonly string[] {
  const ends =
    history.end === "shallow"
      ? [`the clone is shallow: it goes back ${history.commits} commits and no further (git fetch --unshallow)`]
      : [];
  const assumed = bases.flatMap(({ reference, why }) =>
    why === undefined ? [] : [`${reference} counts as an image that never changed: ${why}`],
  );
  const told = notes.map(
    ({ kind, path, detail, commits }) => `${path} (${commits} commits): ${noteWords[kind].replace("%", detail)}`,
  );
  const weighed =
    costs.unit === "weight"
      ? ["costs are weights (RUN 10, COPY and ADD 1): give reports of builds with --durations for seconds"]
      : [];
  const pace =
    costs.buildsPerMonth === undefined
      ? ["the history is too short to tell how many builds a month there are: give --builds-per-month"]
      : [];
  return [...ends, ...assumed, ...told, ...weighed, ...pace, ...variants.flatMap(missingCommits)];
}

const noteWords: Readonly<Record<Analysis["notes"][number]["kind"], string>> = {
  "git-directory":
    "the repository itself is in the build context and differs after each commit; name .git in the ignore file, or give --without-git-directory if builds have none",
  submodule: "the files of a submodule are not read; its commit stands for them",
  lfs: "counts with the content that its pointer of Git LFS stands for",
  conversion: "a checkout may hold other bytes than git stores (%); changes are still seen",
};

function missingCommits({ name, summary, commits }: Variant): readonly string[] {
  const first = commits.find(({ kind }) => kind === "failed");
  return [
    ...(summary.absent > 0 ? [`${name}: ${summary.absent} commits have no Dockerfile or no context there`] : []),
    ...(first === undefined
      ? []
      : [`${name}: in ${summary.failed} commits a build would fail, for example ${short(first.id)}: ${first.why}`]),
  ];
}

function variantLines(
  { name, rows, summary }: Variant,
  { analysis, palette }: { analysis: Analysis; palette: Palette },
): readonly string[] {
  const { unit } = analysis.costs;
  const hasStages = new Set(rows.map(({ stage }) => stage)).size > 1;
  const head = ["line", "step", "made", "by itself", "each", "in all", "why"].map(palette.dim);
  const cells = rows.map((row) => [
    `${hasStages ? `${row.stage} ` : ""}${row.line}`,
    oneLine(row.text, instructionWidth),
    `${row.made} of ${row.commits}`,
    String(row.own),
    costText(row.cost.value, { unit, isKnown: row.cost.from !== "none" }),
    costText(row.total, { unit, isKnown: row.cost.from !== "none" }),
    whyText(row),
  ]);
  return [
    `${palette.bold(name)}: ${routesText(summary)}`,
    ...renderTable([head, ...cells], { right: [2, 3, 4, 5] }),
    ...costLines(summary, analysis),
  ];
}

/** How many builds took which route. */
export function routesText({ builds, routes }: Summary): string {
  const share = (count: number) => (builds === 0 ? "0 %" : `${Math.round((100 * count) / builds)} %`);
  const parts = (["reuse", "assemble", "engine"] as const).map((route) => `${route} ${share(routes[route])}`);
  return `${builds} builds: ${parts.join(", ")}`;
}

function costLines(summary: Summary, { costs }: Analysis): readonly string[] {
  const { unit } = costs;
  const share = summary.costOfEverything === 0 ? 0 : Math.round((100 * summary.cost) / summary.costOfEverything);
  const lines = [
    `${costText(summary.cost, { unit })} in all, ${share} % of what it costs to make every step each time (${costText(summary.costOfEverything, { unit })})`,
  ];
  if (summary.minutesPerMonth !== undefined && summary.minutesPerMonthOfEverything !== undefined) {
    const rate = `${Math.round(costs.buildsPerMonth ?? 0)} builds a month, by ${costs.rate === "option" ? "your option" : "this history"}`;
    lines.push(
      `${summary.minutesPerMonth.toFixed(1)} minutes a month instead of ${summary.minutesPerMonthOfEverything.toFixed(1)} (${rate})`,
    );
  }
  if (summary.pricePerMonth !== undefined) lines.push(`${summary.pricePerMonth.toFixed(2)} a month at your price`);
  return lines;
}

/** A cost with its unit. */
export function costText(
  value: number,
  { unit, isKnown = true }: { unit: Analysis["costs"]["unit"]; isKnown?: boolean },
): string {
  if (!isKnown) return "not known";
  return unit === "seconds" ? `${value >= 100 ? Math.round(value) : value.toFixed(1)} s` : String(Math.round(value));
}

/** The reasons of a row, most frequent first. */
export function whyText({ causes }: Row): string {
  return causes
    .slice(0, 2)
    .map(({ name, count, files }) => {
      const [first] = files;
      const most = first === undefined ? "" : ` (most often ${first.path})`;
      return `${count} × ${causeWords[name]}${most}`;
    })
    .join(", ");
}

function comparison({ variants, costs }: Analysis, palette: Palette): readonly string[] {
  const [before, ...proposals] = variants.filter(({ kind }) => kind === "fixed");
  if (before === undefined || proposals.length === 0) return [];
  const head = ["", "reuse", "assemble", "engine", "cost"].map(palette.dim);
  const rows = [before, ...proposals].map(({ name, summary }) => [
    name,
    String(summary.routes.reuse),
    String(summary.routes.assemble),
    String(summary.routes.engine),
    costText(summary.cost, costs),
  ]);
  const where = `on the ${before.summary.builds} builds that all of these have`;
  return ["", `${palette.bold("side by side")} ${where}`, ...renderTable([head, ...rows], { right: [1, 2, 3, 4] })];
}

function backtestLines({ backtest }: Analysis, palette: Palette): readonly string[] {
  if (backtest === undefined) return [];
  const wrong = backtest.commits.filter(({ agrees }) => !agrees);
  return [
    "",
    `${palette.bold("backtest")}: ${backtestSummary(backtest)}`,
    ...wrong.flatMap((commit) => [
      `  ${short(commit.id)}: predicted ${shapeText(commit.predicted)}, was ${actualText(commit)}`,
      ...differenceTexts(commit).map((difference) => `    ${difference}`),
    ]),
    ...uncomparedTexts(backtest).map((remark) => `  ${remark}`),
  ];
}

/** The form in which people name commits. */
export function short(id: string): string {
  return id.slice(0, 12);
}

function days(count: number): string {
  return count < 1 ? "within a day" : `${Math.round(count)} days`;
}

/** Longest instruction text in a table. */
const instructionWidth = 44;
