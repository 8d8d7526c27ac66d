// SPDX-License-Identifier: Apache-2.0
import type { Route } from "../plan/route.ts";
import { startAligner, type WrittenStep } from "./align-steps.ts";
import type { AnalyzedCommit, AnalyzedCosts, AnalyzedStep, Row, RowCause, Summary, Variant } from "./analysis.ts";
import { type CauseName, isFollowing } from "./cause.ts";
import type { Costs } from "./costs.ts";
import type { CommitOutcome } from "./replay.ts";

/** What a variant is made from. */
export interface VariantInput {
  readonly name: string;
  readonly kind: Variant["kind"];
  /** Oldest first. */
  readonly outcomes: readonly CommitOutcome[];
  readonly costs: Costs;
  readonly rate: AnalyzedCosts;
}

/** Most files that are named for one reason. */
const maxFiles = 5;

/** Adds up what a replay found. Pure. */
export function summarize({ name, kind, outcomes, costs, rate }: VariantInput): Variant {
  const aligner = startAligner();
  // Newest first, so that rows show today's text.
  const rowsOf = new Map<CommitOutcome, readonly number[]>();
  for (const outcome of [...outcomes].reverse()) {
    if (outcome.kind === "planned") rowsOf.set(outcome, aligner.rowsOf(outcome.steps.map(({ written }) => written)));
  }
  const commits = outcomes.map((outcome) => {
    const steps = stepsOf(outcome, rowsOf.get(outcome) ?? []);
    return commitOf(outcome, { steps, cost: costOf(outcome, costs) });
  });
  const rows = aligner.rows.map((step, index) => rowOf(step, { index, commits, costs }));
  return { name, kind, rows, commits, summary: summaryOf(outcomes, { commits, costs, rate }) };
}

function stepsOf(outcome: CommitOutcome, rows: readonly number[]): readonly AnalyzedStep[] {
  if (outcome.kind !== "planned") return [];
  return outcome.steps.map(({ cause, key }, index) => ({
    row: rows[index] as number,
    state: cause === undefined ? "reused" : "made",
    cause: cause?.name,
    files: cause?.files,
    key,
  }));
}

function commitOf(
  outcome: CommitOutcome,
  { steps, cost }: { steps: readonly AnalyzedStep[]; cost: number },
): AnalyzedCommit {
  const { id, time, subject } = outcome.commit;
  const why = "why" in outcome ? outcome.why : undefined;
  const route = outcome.kind === "planned" ? outcome.route : outcome.kind === "whole" ? "engine" : undefined;
  return { id, time: new Date(time * 1000).toISOString(), subject, kind: outcome.kind, route, why, cost, steps };
}

function costOf(outcome: CommitOutcome, costs: Costs): number {
  if (outcome.kind !== "planned") return 0;
  const made = outcome.steps.filter(({ cause }) => cause !== undefined);
  return made.reduce((sum, { written }) => sum + costs.of(written).value, 0) + (costs.beside[outcome.route] ?? 0);
}

interface RowInput {
  readonly index: number;
  readonly commits: readonly AnalyzedCommit[];
  readonly costs: Costs;
}

function rowOf(written: WrittenStep, { index, commits, costs }: RowInput): Row {
  const steps = commits.flatMap((commit) => commit.steps.filter(({ row }) => row === index));
  // The first build of all makes everything, whatever the instruction.
  const made = steps.filter(({ state, cause }) => state === "made" && cause !== "first");
  const followed = made.filter(({ cause }) => cause !== undefined && isFollowing(cause)).length;
  const cost = costs.of(written);
  return {
    ...written,
    commits: steps.length,
    made: made.length,
    own: made.length - followed,
    followed,
    causes: causesOf(made),
    cost,
    total: made.length * cost.value,
  };
}

function causesOf(made: readonly AnalyzedStep[]): readonly RowCause[] {
  const counts = new Map<CauseName, { count: number; files: Map<string, number> }>();
  for (const { cause, files } of made) {
    if (cause === undefined) continue;
    const counted = counts.get(cause) ?? { count: 0, files: new Map<string, number>() };
    counted.count += 1;
    for (const path of files?.names ?? []) counted.files.set(path, (counted.files.get(path) ?? 0) + 1);
    counts.set(cause, counted);
  }
  return [...counts]
    .map(([name, { count, files }]) => ({ name, count, files: mostFrequent(files) }))
    .sort((one, other) => other.count - one.count);
}

function mostFrequent(files: ReadonlyMap<string, number>): RowCause["files"] {
  const sorted = [...files].sort(([, one], [, other]) => other - one);
  return sorted.slice(0, maxFiles).map(([path, count]) => ({ path, count }));
}

/** Days in a month on average. */
const daysPerMonth = 365.25 / 12;

function summaryOf(
  outcomes: readonly CommitOutcome[],
  { commits, costs, rate }: { commits: readonly AnalyzedCommit[]; costs: Costs; rate: AnalyzedCosts },
): Summary {
  const routes: Record<Route, number> = { reuse: 0, assemble: 0, engine: 0 };
  let builds = 0;
  let cost = 0;
  let costOfEverything = 0;
  for (const [index, outcome] of outcomes.entries()) {
    const { route } = commits[index] as AnalyzedCommit;
    if (route === undefined || isFirst(outcome)) continue;
    builds += 1;
    routes[route] += 1;
    cost += (commits[index] as AnalyzedCommit).cost;
    costOfEverything += everythingOf(outcome, costs);
  }
  const perMonth = (total: number) => minutesOf(total, { builds, rate });
  const minutesPerMonth = perMonth(cost);
  const { pricePerMinute } = rate;
  return {
    builds,
    routes,
    absent: outcomes.filter(({ kind }) => kind === "absent").length,
    failed: outcomes.filter(({ kind }) => kind === "failed").length,
    cost,
    costOfEverything,
    minutesPerMonth,
    minutesPerMonthOfEverything: perMonth(costOfEverything),
    pricePerMonth:
      minutesPerMonth === undefined || pricePerMinute === undefined ? undefined : minutesPerMonth * pricePerMinute,
  };
}

function isFirst(outcome: CommitOutcome): boolean {
  return outcome.kind === "planned" && outcome.steps.some(({ cause }) => cause?.name === "first");
}

function everythingOf(outcome: CommitOutcome, costs: Costs): number {
  if (outcome.kind !== "planned") return 0;
  const steps = outcome.steps.reduce((sum, { written }) => sum + costs.of(written).value, 0);
  return steps + (costs.beside.engine ?? 0);
}

function minutesOf(seconds: number, { builds, rate }: { builds: number; rate: AnalyzedCosts }): number | undefined {
  if (rate.unit !== "seconds" || rate.buildsPerMonth === undefined || builds === 0) return undefined;
  return ((seconds / builds) * rate.buildsPerMonth) / 60;
}

/** Builds a month at the pace of a history; undefined if it is shorter than a week or has too few builds to tell. */
export function paceOf({ commits, days }: { commits: number; days: number }): number | undefined {
  return days < 7 || commits < 2 ? undefined : ((commits - 1) / days) * daysPerMonth;
}
