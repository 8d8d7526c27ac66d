// SPDX-License-Identifier: Apache-2.0
import type { Analysis, AnalyzedCommit, Variant } from "../analyze/analysis.ts";
import { isFollowing } from "../analyze/cause.ts";
import { actualText, backtestSummary, differenceTexts, shapeText, uncomparedTexts } from "./backtest-words.ts";
import { causeWords } from "./cause-words.ts";
import { figures, type Html, html, renderPage, type Section, scrolling, table } from "./html.ts";
import { oneLine } from "./one-line.ts";
import { costText, remarks, routesText, short, whyText } from "./render-analysis.ts";

/** An analysis as one self-contained HTML page. */
export function renderAnalysisHtml(analysis: Analysis): string {
  const { history, branch, dockerfile, variants } = analysis;
  const [first] = variants as readonly [Variant];
  const lead = html`<p>${history.commits} commits of <code>${branch}</code>, ${short(history.oldest)} to ${short(history.newest)}; Dockerfile <code>${dockerfile}</code>; layerwise ${analysis.tool.version}.</p>`;
  const fixed = variants.filter(({ kind }) => kind === "fixed");
  const sections: Section[] = [
    { id: "result", title: "Result", body: resultOf(first, analysis) },
    { id: "instructions", title: "Instructions", body: instructionsOf(first, analysis) },
    { id: "heat-map", title: "Commits and instructions", body: heatMap(first) },
    ...(fixed.length === 0 ? [] : [{ id: "proposals", title: "Before and after", body: proposalsOf(fixed, analysis) }]),
    ...backtestSection(analysis),
    { id: "commits", title: "Commits one by one", body: commitList(first, analysis) },
  ];
  return renderPage({ title: "What builds of this history would do", lead, sections });
}

function resultOf({ summary }: Variant, analysis: Analysis): Html {
  const { unit } = analysis.costs;
  const { builds, routes } = summary;
  const share = (count: number) => (builds === 0 ? "0 %" : `${Math.round((100 * count) / builds)} %`);
  const all = remarks(analysis);
  return html`${figures([
    { name: "nothing to make (reuse)", value: share(routes.reuse), note: `${routes.reuse} of ${builds} builds` },
    {
      name: "no engine needed (assemble)",
      value: share(routes.assemble),
      note: `${routes.assemble} of ${builds} builds`,
    },
    { name: "engine needed", value: share(routes.engine), note: `${routes.engine} of ${builds} builds` },
    ...monthly(analysis, summary),
    {
      name: unit === "seconds" ? "time of all builds" : "cost of all builds (weights)",
      value: costText(summary.cost, { unit }),
      note: `${costText(summary.costOfEverything, { unit })} if each build made every step`,
    },
  ])}
${all.map((remark) => html`<p class="remark">${remark}</p>`)}`;
}

function monthly({ costs }: Analysis, summary: Variant["summary"]): Parameters<typeof figures>[0] {
  if (summary.minutesPerMonth === undefined) return [];
  const minutes = {
    name: "minutes a month",
    value: summary.minutesPerMonth.toFixed(1),
    note: `at ${Math.round(costs.buildsPerMonth ?? 0)} builds; ${(summary.minutesPerMonthOfEverything ?? 0).toFixed(1)} if each made every step`,
  };
  if (summary.pricePerMonth === undefined) return [minutes];
  return [minutes, { name: "price a month", value: summary.pricePerMonth.toFixed(2), note: "at the price you gave" }];
}

function instructionsOf({ rows, name, kind }: Variant, { costs }: Analysis): Html {
  const { unit } = costs;
  const what = "how often each instruction would have been made, why, and at what cost";
  return table(kind === "fixed" ? `${name}: ${what}` : what.replace("how", "How"), {
    head: ["Stage", "Line", "Instruction", "Commits", "Made", "By itself", "Each", "In all", "Why"],
    numbers: [1, 3, 4, 5, 6, 7],
    rows: rows.map((row) => [
      row.stage,
      row.line,
      html`<code>${row.text}</code>`,
      row.commits,
      row.made,
      row.own,
      costText(row.cost.value, { unit, isKnown: row.cost.from !== "none" }),
      costText(row.total, { unit, isKnown: row.cost.from !== "none" }),
      whyText(row),
    ]),
  });
}

/** Pixels of the heat map. */
const cell = { width: 8, height: 36, label: 15, margin: 8 };

/** Commits from left to right, instructions from top to bottom; forms differ as well as colours. */
function heatMap(variant: Variant): Html {
  const { rows, commits, name, kind } = variant;
  const title =
    kind === "fixed" ? `${name}: heat map of commits and instructions` : "Heat map of commits and instructions";
  // Short histories have long instructions too.
  const width = Math.max(commits.length * cell.width, 360) + cell.margin;
  const height = (rows.length + 1) * cell.height + cell.margin;
  const label = `${routesText(variant.summary)}. One column a commit, oldest first; the list of commits below says the same in words.`;
  const labels = rows.map(
    (row, index) => html`<text x="0" y="${yOf(index) + 12}">${row.line} ${oneLine(row.text, labelWidth)}</text>`,
  );
  const lines = rows.map(
    (_, index) => html`<line class="grid" x1="0" x2="${width}" y1="${yOf(index + 1)}" y2="${yOf(index + 1)}"></line>`,
  );
  const columns = commits.map((commit, column) => columnOf(commit, { column, variant }));
  const last = html`<text class="quiet" x="0" y="${yOf(rows.length) + 12}">no build, or all by the engine</text>`;
  return html`<ul class="legend" aria-label="Legend">
<li>${sample("made")} made because of a change of its own</li><li>${sample("followed")} made although nothing of its own changed</li><li>${sample("reused")} reused</li></ul>
${scrolling(title, html`<svg role="img" aria-label="${label}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${lines}${labels}${last}${columns}</svg>`)}`;
}

function yOf(row: number): number {
  return row * cell.height;
}

function columnOf(commit: AnalyzedCommit, { column, variant }: { column: number; variant: Variant }): Html {
  const x = column * cell.width;
  const marks = commit.steps.map(({ row, state, cause }) => {
    const kind = state === "reused" ? "reused" : cause !== undefined && isFollowing(cause) ? "followed" : "made";
    return mark(kind, { x, y: yOf(row) + cell.label });
  });
  const other =
    commit.kind === "planned" ? undefined : mark("followed", { x, y: yOf(variant.rows.length) + cell.label });
  return html`<g><title>${short(commit.id)} ${commit.subject}: ${commit.route ?? commit.kind}</title>${marks}${other}</g>`;
}

type Mark = "made" | "followed" | "reused";

function mark(kind: Mark, { x, y }: { x: number; y: number }): Html {
  const [height, top] = kind === "made" ? [16, 1] : kind === "followed" ? [9, 8] : [2, 8];
  return html`<rect class="${kind}" x="${x}" y="${y + top}" width="${cell.width - 1}" height="${height}"></rect>`;
}

function sample(kind: Mark): Html {
  return html`<svg width="10" height="18" aria-hidden="true">${mark(kind, { x: 1, y: 0 })}</svg>`;
}

function proposalsOf(fixed: readonly Variant[], analysis: Analysis): Html {
  const { unit } = analysis.costs;
  const [before] = fixed as readonly [Variant];
  const summary = table(`The same ${before.summary.builds} builds with each of the files`, {
    head: ["Files", "Reuse", "Assemble", "Engine", "Cost", "Minutes a month"],
    numbers: [1, 2, 3, 4, 5],
    rows: fixed.map(({ name, summary: { routes, cost, minutesPerMonth } }) => [
      name,
      routes.reuse,
      routes.assemble,
      routes.engine,
      costText(cost, { unit }),
      minutesPerMonth?.toFixed(1) ?? "not known",
    ]),
  });
  const maps = fixed.map(
    (variant) => html`<h3>${variant.name}</h3>${instructionsOf(variant, analysis)}${heatMap(variant)}`,
  );
  return html`${summary}${maps}`;
}

function backtestSection({ backtest }: Analysis): readonly Section[] {
  if (backtest === undefined) return [];
  const builds = table(backtestSummary(backtest), {
    head: ["Commit", "Predicted", "Built", "Agrees", "What did not"],
    rows: backtest.commits.map((commit) => [
      html`<code>${short(commit.id)}</code>`,
      shapeText(commit.predicted),
      actualText(commit),
      commit.agrees ? "yes" : "no",
      differenceTexts(commit).join("; "),
    ]),
  });
  const rest = uncomparedTexts(backtest).map((remark) => html`<li>${remark}</li>`);
  const body = rest.length === 0 ? builds : html`${builds}<ul>${rest}</ul>`;
  return [{ id: "backtest", title: "Predictions and builds", body }];
}

function commitList({ commits, rows }: Variant, { costs }: Analysis): Html {
  const { unit } = costs;
  const body = table("Newest first", {
    head: ["Commit", "Time", "Subject", "Route", "Cost", "Made"],
    numbers: [4],
    rows: [...commits]
      .reverse()
      .map((commit) => [
        html`<code>${short(commit.id)}</code>`,
        commit.time.slice(0, 16).replace("T", " "),
        commit.subject,
        commit.route ?? commit.kind,
        costText(commit.cost, { unit }),
        commit.why ?? madeText(commit, rows),
      ]),
  });
  return html`<details><summary>All ${commits.length} commits</summary>${body}</details>`;
}

function madeText({ steps }: AnalyzedCommit, rows: Variant["rows"]): string {
  return steps
    .filter(({ state }) => state === "made")
    .map(({ row, cause, files }) => {
      const names =
        files === undefined ? "" : `: ${files.names.join(", ")}${files.count > files.names.length ? " …" : ""}`;
      return `line ${rows[row]?.line} (${cause === undefined ? "" : causeWords[cause]}${names})`;
    })
    .join("; ");
}

/** Longest instruction text in the map, in characters. */
const labelWidth = 48;
