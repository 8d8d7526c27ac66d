// SPDX-License-Identifier: Apache-2.0
import type { Route } from "../plan/route.ts";

/** Predictions beside what builds did. */
export interface Backtest {
  /** Builds that were made to find out, or builds of the past that left a record. */
  readonly source: "builds" | "records";
  /** Oldest first. */
  readonly commits: readonly BacktestedCommit[];
  /** In how many of them route and steps were as predicted. */
  readonly agreed: number;
  /** Records that say nothing about a prediction, oldest first. */
  readonly uncompared: readonly UncomparedRecord[];
  /** Commits that were looked at and have no record of their own; undefined if builds were made. */
  readonly unrecorded: number | undefined;
}

/** One commit that was built. */
export interface BacktestedCommit {
  readonly id: string;
  readonly predicted: BuildShape;
  /** Undefined if the build ended with an error. */
  readonly actual: BuildShape | undefined;
  /** The error that the build ended with. */
  readonly error: string | undefined;
  readonly agrees: boolean;
  /** The steps that did not go as predicted, in the order of the Dockerfile. */
  readonly differences: readonly StepDifference[];
}

/** What of a build is compared. */
export interface BuildShape {
  /** Undefined if no build was predicted to end well. */
  readonly route: Route | undefined;
  /** The steps that are made, as `stage:line`, in the order of the Dockerfile. */
  readonly made: readonly string[];
}

/** A step that did not go as predicted. */
export interface StepDifference {
  /** `stage:line`. */
  readonly step: string;
  readonly predicted: StepState;
  readonly actual: StepState;
  /** Whether its cache key was the predicted one. */
  readonly key: "same" | "other" | "unknown";
}

/** What became of a step; `absent`: there was no such step. */
export type StepState = "made" | "reused" | "absent";

/** A record whose build cannot be predicted from what was asked for. */
export interface UncomparedRecord {
  /** The revision, if the record has one. */
  readonly id: string | undefined;
  /** When it was built. */
  readonly time: string;
  readonly why: WhyUncompared;
  /** The values that stand in the way. */
  readonly detail: string;
}

/** Why a record is not compared. */
export type WhyUncompared =
  | "no-revision"
  /** Its revision is not among the commits that are looked at. */
  | "other-revision"
  | "platform"
  | "target"
  | "arguments"
  | "no-cache"
  /** The history of records begins with it, and nothing tells which checkpoints were there before. */
  | "oldest";

/** A build as it was predicted, or as it was. */
export interface BuiltSteps {
  readonly route: Route | undefined;
  readonly steps: readonly BuiltStep[];
}

/** One of its steps. */
export interface BuiltStep {
  /** Name or number. */
  readonly stage: string;
  readonly line: number;
  readonly state: "made" | "reused";
  readonly key: string | undefined;
}

/** A commit with both. */
export interface PredictedBuild extends Pick<BacktestedCommit, "id" | "error"> {
  readonly predicted: BuiltSteps;
  readonly actual: BuiltSteps | undefined;
}

/** Compares predictions with what happened. Pure. */
export function compareBuilds(
  builds: readonly PredictedBuild[],
  {
    source = "builds",
    uncompared = [],
    unrecorded,
  }: Partial<Pick<Backtest, "source" | "uncompared" | "unrecorded">> = {},
): Backtest {
  const commits = builds.map(compared);
  return { source, commits, agreed: commits.filter(({ agrees }) => agrees).length, uncompared, unrecorded };
}

function compared({ id, error, predicted, actual }: PredictedBuild): BacktestedCommit {
  const differences = actual === undefined ? [] : differentSteps(predicted.steps, actual.steps);
  const agrees = actual?.route === predicted.route && differences.length === 0;
  return { id, predicted: shapeOf(predicted), actual: actual && shapeOf(actual), error, agrees, differences };
}

function shapeOf({ route, steps }: BuiltSteps): BuildShape {
  return { route, made: inOrder(steps.filter(({ state }) => state === "made")).map(nameOf) };
}

function inOrder(steps: readonly BuiltStep[]): readonly BuiltStep[] {
  return [...steps].sort((one, other) => one.line - other.line);
}

function nameOf({ stage, line }: BuiltStep): string {
  return `${stage}:${line}`;
}

/** Steps that ONBUILD adds share a line: the first of a name is compared with the first, the second with the second. */
function differentSteps(predicted: readonly BuiltStep[], actual: readonly BuiltStep[]): readonly StepDifference[] {
  const waiting = new Map<string, BuiltStep[]>();
  for (const step of actual) waiting.set(nameOf(step), [...(waiting.get(nameOf(step)) ?? []), step]);
  const pairs = predicted.map((step) => ({ step, predicted: step, actual: waiting.get(nameOf(step))?.shift() }));
  const rest = [...waiting.values()].flat().map((step) => ({ step, predicted: undefined, actual: step }));
  const isMade = (step: BuiltStep | undefined) => step?.state === "made";
  const different = [...pairs, ...rest].filter((pair) => isMade(pair.predicted) !== isMade(pair.actual));
  return different
    .sort((one, other) => one.step.line - other.step.line)
    .map((pair) => ({
      step: nameOf(pair.step),
      predicted: pair.predicted?.state ?? "absent",
      actual: pair.actual?.state ?? "absent",
      key: keysOf(pair.predicted?.key, pair.actual?.key),
    }));
}

function keysOf(predicted: string | undefined, actual: string | undefined): StepDifference["key"] {
  if (predicted === undefined || actual === undefined) return "unknown";
  return predicted === actual ? "same" : "other";
}
