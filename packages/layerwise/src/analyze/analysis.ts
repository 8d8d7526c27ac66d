// SPDX-License-Identifier: Apache-2.0
import type { Route } from "../plan/route.ts";
import type { CommitHistory, RevisionNote } from "../ports.ts";
import type { WrittenStep } from "./align-steps.ts";
import type { Backtest } from "./backtest.ts";
import type { CauseName, ChangedFiles } from "./cause.ts";
import type { StepCost } from "./costs.ts";
import type { CountedBase } from "./look-up.ts";

/** What a history tells, for machines; `docs/analyze.md` describes the fields. */
export interface Analysis {
  /** Raised when a field changes its meaning; new fields do not raise it. */
  readonly version: 1;
  readonly kind: "analysis";
  readonly tool: { readonly name: "layerwise"; readonly version: string };
  readonly branch: string;
  /** Relative to the top of the git repository, as the newest commit has it. */
  readonly dockerfile: string;
  readonly history: AnalyzedHistory;
  readonly bases: readonly CountedBase[];
  /** What git's objects do not tell exactly. */
  readonly notes: readonly (RevisionNote & { readonly commits: number })[];
  readonly costs: AnalyzedCosts;
  /** The history as it was, and then as it would have been with other files. */
  readonly variants: readonly Variant[];
  readonly backtest: Backtest | undefined;
}

/** Which commits were looked at. */
export interface AnalyzedHistory {
  readonly commits: number;
  /** Full names of the oldest and the newest one. */
  readonly oldest: string;
  readonly newest: string;
  /** Why there are no older ones. */
  readonly end: CommitHistory["end"];
  /** Days between the oldest and the newest one. */
  readonly days: number;
}

/** What costs stand on. */
export interface AnalyzedCosts {
  readonly unit: "seconds" | "weight";
  readonly reports: number;
  /** Builds in a month, and whether the history or an option says so; undefined if the history is too short to tell. */
  readonly buildsPerMonth: number | undefined;
  readonly rate: "history" | "option" | undefined;
  /** What a minute costs, if an option says so, in the currency of whoever asked. */
  readonly pricePerMinute: number | undefined;
}

/** One replay of the history. */
export interface Variant {
  readonly name: string;
  /** `as it was`: each commit with its own files; `fixed`: all commits with the same. */
  readonly kind: "as-it-was" | "fixed";
  readonly rows: readonly Row[];
  /** Oldest first. */
  readonly commits: readonly AnalyzedCommit[];
  readonly summary: Summary;
}

/** An instruction, over all commits that have it. */
export interface Row extends WrittenStep {
  /** Commits that have it. */
  readonly commits: number;
  readonly made: number;
  /** How often because of itself, and how often only because of what comes before it. */
  readonly own: number;
  readonly followed: number;
  readonly causes: readonly RowCause[];
  /** What making it once costs. */
  readonly cost: StepCost;
  /** And in all commits together. */
  readonly total: number;
}

/** One kind of reason, and how often. */
export interface RowCause {
  readonly name: CauseName;
  readonly count: number;
  /** The files that changed most often, and how often. */
  readonly files: readonly { readonly path: string; readonly count: number }[];
}

/** A commit in a variant. */
export interface AnalyzedCommit {
  readonly id: string;
  readonly time: string;
  readonly subject: string;
  readonly kind: "planned" | "whole" | "absent" | "failed";
  readonly route: Route | undefined;
  /** Why nothing could be evaluated, or what a build would end with. */
  readonly why: string | undefined;
  readonly cost: number;
  readonly steps: readonly AnalyzedStep[];
}

/** A step in a commit. */
export interface AnalyzedStep {
  /** Position among the variant's rows. */
  readonly row: number;
  readonly state: "reused" | "made";
  readonly cause: CauseName | undefined;
  readonly files: ChangedFiles | undefined;
  readonly key: string | undefined;
}

/** What a variant adds up to; the first build of all, which makes everything, does not count. */
export interface Summary {
  /** Builds that count. */
  readonly builds: number;
  readonly routes: Readonly<Record<Route, number>>;
  readonly absent: number;
  readonly failed: number;
  /** Of all builds that count. */
  readonly cost: number;
  /** If each build made every step. */
  readonly costOfEverything: number;
  /** Undefined unless durations were measured and the rate is known. */
  readonly minutesPerMonth: number | undefined;
  readonly minutesPerMonthOfEverything: number | undefined;
  readonly pricePerMonth: number | undefined;
}
