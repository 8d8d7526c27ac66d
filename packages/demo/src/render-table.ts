// SPDX-License-Identifier: Apache-2.0
import { changeNames } from "./changes.ts";
import type { Deploy, LayerwiseOutcome, Rival, RivalOutcome, Series } from "./record.ts";

/** A series as a Markdown table under a line that names the engine, and what follows from it. Pure. */
export function renderSeries(series: Series): string {
  const { rival, deploys } = series;
  const rivalHead = rival === null ? [] : [`${rival}: RUN`, "seconds", "MB down"];
  const head = ["deploy", ...rivalHead, "layerwise: route", "RUN", "seconds", "MB down", "MB written"];
  const rows = deploys.map((deploy) => [
    `${deploy.number} ${changeNames[deploy.change]}`,
    ...(rival === null || deploy.rival === null ? [] : rivalRow(deploy.rival)),
    ...layerwiseRow(deploy.layerwise),
  ]);
  return [
    titleOf(series),
    "",
    ...markdownTable(withoutEmptyColumns([head, ...rows])),
    "",
    ...conclusions(series),
    "",
  ].join("\n");
}

/** What a rival did, for a line that is read while it runs. */
export function rivalCells({ executed, seconds, received }: RivalOutcome): readonly string[] {
  return [executed ? "RUN executed" : "RUN cached", `${seconds.toFixed(2)} s`, ...downCells(received)];
}

/** The same of layerwise. */
export function layerwiseCells({ route, executed, seconds, received }: LayerwiseOutcome): readonly string[] {
  return [route, executed ? "RUN executed" : "", `${seconds.toFixed(2)} s`, ...downCells(received)];
}

function downCells(received: number | null): readonly string[] {
  return received === null ? [] : [`${megabytes(received)} MB down`];
}

function titleOf({ engine, imageBytes }: Series): string {
  const size = `an image of ${megabytes(imageBytes)} MB`;
  if (engine === null) return `No engine, ${size} into an OCI layout`;
  return `Docker ${engine.version}${engine.store === null ? "" : ` with the ${engine.store} image store`}, ${size}`;
}

function rivalRow({ executed, seconds, received }: RivalOutcome): readonly string[] {
  return [executed ? "executed" : "cached", seconds.toFixed(2), received === null ? "" : megabytes(received)];
}

function layerwiseRow({ route, executed, seconds, received, uploaded }: LayerwiseOutcome): readonly string[] {
  const down = received === null ? "" : megabytes(received);
  return [route, executed ? "executed" : "", seconds.toFixed(2), down, megabytes(uploaded)];
}

/** One decimal; more for what would become 0. */
function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return value === 0 ? "0" : value >= 0.1 ? value.toFixed(1) : value.toFixed(3);
}

/** Not everything is counted everywhere. */
function withoutEmptyColumns(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return rows.map((row) => row.filter((_, column) => rows.slice(1).some((one) => one[column] !== "")));
}

function markdownTable(rows: readonly (readonly string[])[]): readonly string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const isNumber = widths.map((_, column) => rows.slice(1).every((row) => /^[\d.]+$/.test(row[column] ?? "")));
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const padded = (row: readonly string[]) =>
    line(
      row.map((cell, column) =>
        isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      ),
    );
  const rule = line(
    widths.map((width, column) => (isNumber[column] ? `${"-".repeat(width - 1)}:` : "-".repeat(width))),
  );
  const [head = [], ...body] = rows;
  return [padded(head), rule, ...body.map(padded)];
}

/** What the figures say of the deploys that teams have most: their source changed, and nothing else. */
function conclusions({ rival, deploys }: Series): readonly string[] {
  const sources = deploys.filter(({ change }) => change === "source");
  const ours = median(sources.map(({ layerwise }) => layerwise.seconds));
  if (rival === null) return [`Source changed, median: layerwise ${ours.toFixed(2)} s.`];
  const theirs = median(sources.map((deploy) => deploy.rival?.seconds ?? 0));
  const executed = (which: (deploy: Deploy) => boolean) => sources.filter(which).length;
  const again = executed((deploy) => deploy.rival?.executed === true);
  const ourAgain = executed(({ layerwise }) => layerwise.executed);
  return [
    `Source changed, median: ${rival} ${theirs.toFixed(2)} s, layerwise ${ours.toFixed(2)} s, ${Math.round(theirs / ours)} times as fast.`,
    `${subjects[rival]} executed the dependencies' RUN again in ${again} of ${sources.length} of these deploys, layerwise in ${ourAgain}.`,
  ];
}

const subjects: Readonly<Record<Rival, string>> = {
  "classic recipe": "The classic recipe",
  "docker build --no-cache": "The build that finds nothing",
};

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}
