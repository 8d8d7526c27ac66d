// SPDX-License-Identifier: Apache-2.0
import { type Backtest, compareBuilds, type PredictedBuild } from "./analyze/backtest.ts";
import type { PlacedCommit } from "./analyze/follow-places.ts";
import { predictedSteps } from "./analyze/predicted-steps.ts";
import { checkpointsOf, type SortedRecord, sortRecords, stepsOfRecord } from "./analyze/recorded-builds.ts";
import { replay } from "./analyze/replay.ts";
import { type AnalyzeOptions, type AnalyzeSurroundings, lookUpOf, placedCommits } from "./analyze.ts";
import { LayerwiseError } from "./error.ts";
import { type BuildPlace, recallBuildBefore, recallHistory } from "./explain/recall-build.ts";
import type { CallOptions, Repository } from "./ports.ts";
import type { BuildRecord } from "./spec/build-record.ts";
import type { Digest } from "./spec/digest.ts";
import { formatPlatform } from "./spec/platform.ts";

/** Where builds of the past left their records. */
export interface RecordedPlace {
  /** The images whose history is read: each tag leads to one. */
  readonly place: BuildPlace;
  readonly cache: Repository;
}

/** Most builds of the past that are read for one tag. */
const mostRecords = 1_000;

/**
 * Compares what builds of the past did with what would have been predicted for them, in the order in which they ran.
 *
 * @throws REGISTRY_NOT_FOUND if no tag leads to a record
 */
export async function backtestRecords(
  options: AnalyzeOptions,
  recorded: RecordedPlace,
  surroundings: AnalyzeSurroundings,
): Promise<Backtest> {
  const { target, buildArgs, targetPlatform, signal } = options;
  const { placed } = await placedCommits(options);
  const commits = new Map(placed.map((one) => [one.commit.id, one]));
  const records = await recallRecords(recorded, { signal });
  const platform = formatPlatform(targetPlatform);
  const sorted = sortRecords(records, { commits: new Set(commits.keys()), platform, target, buildArgs });
  const told = new Set(records.map(({ revision }) => revision));
  return compareBuilds(await predictEach(sorted, { commits, options, surroundings }), {
    source: "records",
    uncompared: sorted.flatMap(({ uncompared }) => (uncompared === undefined ? [] : [uncompared])),
    unrecorded: placed.filter(({ commit }) => !told.has(commit.id)).length,
  });
}

/** The records that tags lead to, oldest first. */
async function recallRecords(
  { place, cache }: RecordedPlace,
  { signal }: CallOptions,
): Promise<readonly BuildRecord[]> {
  const found = new Map<string, BuildRecord>();
  const missing: string[] = [];
  for (const tag of place.tags) {
    const newest = await recallBuildBefore({ repository: place.repository, tags: [tag] }, { cache, signal });
    const { builds, end } = await recallHistory(newest, { cache, signal, last: mostRecords });
    for (const record of builds) found.set(record.image ?? "", record);
    if (end?.kind === "no-build") missing.push(`there is no ${end.looked.join(" and no ")}`);
    else if (end?.kind === "no-record" && builds.length === 0) missing.push(`${end.reference}: ${end.why}`);
  }
  if (found.size > 0) return [...found.values()].sort((one, other) => Date.parse(one.time) - Date.parse(other.time));
  throw new LayerwiseError("REGISTRY_NOT_FOUND", `could not find records of builds: ${missing.join("; ")}`, {
    hint: "records are saved beside checkpoints: name their repository with --cache-repo",
  });
}

interface Predicting {
  readonly commits: ReadonlyMap<string, PlacedCommit>;
  readonly options: AnalyzeOptions;
  readonly surroundings: AnalyzeSurroundings;
}

/** Replays what was built, in the order of the builds: what other builds left behind is there from then on. */
async function predictEach(
  sorted: readonly SortedRecord[],
  { commits, options, surroundings }: Predicting,
): Promise<readonly PredictedBuild[]> {
  const { lookUp } = lookUpOf(options, surroundings);
  const present = new Set<Digest>();
  const builds: { readonly record: BuildRecord; readonly placed: PlacedCommit; readonly left: Digest[] }[] = [];
  for (const { record, uncompared } of sorted) {
    const placed = uncompared === undefined ? commits.get(record.revision ?? "") : undefined;
    if (placed !== undefined) builds.push({ record, placed: builtThen(placed, record), left: [] });
    else for (const key of checkpointsOf(record)) builds.at(-1)?.left.push(key) ?? present.add(key);
  }
  const onCommit = (done: number) => {
    for (const key of builds[done - 1]?.left ?? []) present.add(key);
  };
  const files = { dockerfile: undefined, ignoreFile: undefined };
  const input = { ...options, ...files, lookUp, present, onCommit };
  const { outcomes } = await replay(
    builds.map(({ placed }) => placed),
    input,
  );
  return builds.map(({ record, placed }, index) => {
    const stages = new Set(record.stages.map(({ name }) => name));
    const { route, steps } = predictedSteps(outcomes[index]);
    // With --checkpoints final a record tells of the target's chain only.
    const predicted = { route, steps: steps.filter(({ stage }) => stages.has(stage)) };
    return { id: placed.commit.id, predicted, actual: stepsOfRecord(record), error: undefined };
  });
}

/** Checkpoints grow old from when they were saved, which is not when a commit was made. */
function builtThen({ commit, place }: PlacedCommit, { time }: BuildRecord): PlacedCommit {
  return { commit: { ...commit, time: Math.floor(Date.parse(time) / 1000) }, place };
}
