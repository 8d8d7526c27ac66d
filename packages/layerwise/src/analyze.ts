// SPDX-License-Identifier: Apache-2.0
import type { Analysis, AnalyzedCosts } from "./analyze/analysis.ts";
import { type Costs, costsOf, type MeasuredReport } from "./analyze/costs.ts";
import { type BuildPlace, followPlaces, type PlacedCommit } from "./analyze/follow-places.ts";
import { type BaseLookUp, openBaseLookUp } from "./analyze/look-up.ts";
import { type CommitOutcome, type Replayed, type ReplayInput, replay } from "./analyze/replay.ts";
import { paceOf, summarize } from "./analyze/summarize.ts";
import { LayerwiseError } from "./error.ts";
import type { Emit } from "./event.ts";
import type { NamedImages } from "./plan/gather-bases.ts";
import type { NamedContexts } from "./plan/named-contexts.ts";
import type { CallOptions, CommitHistory, Repositories, Revisions } from "./ports.ts";
import type { Platform } from "./spec/platform.ts";

/** What an analysis is asked for; what the command line says, without its syntax. */
export interface AnalyzeOptions extends CallOptions {
  readonly revisions: Revisions;
  readonly branch: string;
  /** Most commits to look at. */
  readonly last: number;
  /** Where the newest commit has Dockerfile and context, relative to the top of the repository. */
  readonly place: BuildPlace;
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  readonly runOptions: readonly string[];
  readonly named: NamedImages;
  /** Names of other contexts: a commit whose build reads one is the engine's. */
  readonly otherContexts?: NamedContexts["otherContexts"];
  /** Looks up no base but those that `named` has. */
  readonly offline: boolean;
  readonly checkpoints: "all" | "final" | "none";
  /** Milliseconds after which a checkpoint is gone; undefined: never. */
  readonly keepFor: number | undefined;
  readonly hasGitDirectory: boolean | undefined;
  readonly umask: number | undefined;
  /** Reports of builds, for what steps cost. */
  readonly reports: readonly MeasuredReport[];
  readonly buildsPerMonth: number | undefined;
  readonly pricePerMinute: number | undefined;
  /** Files to try on the same history, beside those of the newest commit. */
  readonly proposals: readonly Proposal[];
  readonly version: string;
  /** Is told how many commits of how many replays are done. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
}

/** Another Dockerfile or ignore file; undefined: that of the newest commit. */
export interface Proposal {
  readonly name: string;
  readonly dockerfile: string | undefined;
  readonly ignoreFile: string | undefined;
}

/** What an analysis needs of the outside. */
export interface AnalyzeSurroundings {
  readonly repositories: Repositories;
  readonly emit: Emit;
}

/** Replays the history of a branch and says what each build would have done; writes nothing. */
export async function analyzeHistory(
  options: AnalyzeOptions,
  { repositories, emit }: AnalyzeSurroundings,
): Promise<Analysis> {
  const { branch, place } = options;
  const { history, placed } = await placedCommits(options);
  const bases = lookUpOf(options, { repositories, emit });
  const proposals = await proposedFiles(options, placed);
  const replays = 1 + proposals.length;
  let done = 0;
  const run: Run = async (commits, files) => {
    const onCommit = () => options.onProgress?.(++done, replays * placed.length);
    return await replay(commits, { ...options, ...files, lookUp: bases.lookUp, onCommit });
  };
  const own = await run(placed, { dockerfile: undefined, ignoreFile: undefined });
  const tried = await runComparably(proposals, { placed, run });
  const costs = costsOf(options.reports);
  const rate = rateOf(options, { history, costs });
  const variants = [
    summarize({ name: "as it was", kind: "as-it-was", outcomes: own.outcomes, costs, rate }),
    ...tried.map(({ name, outcomes }) => summarize({ name, kind: "fixed", outcomes, costs, rate })),
  ];
  return {
    version: 1,
    kind: "analysis",
    tool: { name: "layerwise", version: options.version },
    branch,
    dockerfile: place.dockerfile,
    history: analyzedHistory(history),
    bases: bases.counted(),
    notes: own.notes,
    costs: rate,
    variants,
    backtest: undefined,
  };
}

/** The commits that are looked at, and where each has the input of a build, oldest first. */
export async function placedCommits(
  options: AnalyzeOptions,
): Promise<{ readonly history: CommitHistory; readonly placed: readonly PlacedCommit[] }> {
  const { revisions, branch, last, place, signal } = options;
  const newest = await revisions.commit(branch, { signal });
  const history = await revisions.history(newest, { limit: last, signal });
  const placed = [...(await followPlaces(revisions, { commits: history.commits, start: place, signal }))].reverse();
  if (placed.every(({ place: found }) => found === undefined)) throw noDockerfile(options, history);
  return { history, placed };
}

/** How the images that Dockerfiles name are resolved. */
export function lookUpOf(
  { named, offline, signal }: AnalyzeOptions,
  { repositories, emit }: AnalyzeSurroundings,
): BaseLookUp {
  return openBaseLookUp({ named, offline, signal, repositories, emit });
}

/**
 * What is tried on the whole history. A proposal is compared with the newest commit's own files on the same commits: the
 * older ones had other files.
 */
async function proposedFiles(
  { proposals, revisions, signal }: AnalyzeOptions,
  placed: readonly PlacedCommit[],
): Promise<readonly Proposal[]> {
  const newest = placed.findLast(({ place }) => place !== undefined);
  if (proposals.length === 0 || newest?.place === undefined) return [];
  const { commit, place } = newest;
  const dockerfile = await revisions.text(commit, place.dockerfile, { signal });
  const beside = await revisions.text(commit, `${place.dockerfile}.dockerignore`, { signal });
  const context = await revisions.context(commit, { directory: place.directory, signal });
  const ignoreFile = beside ?? (await context?.text(".dockerignore", { signal })) ?? "";
  return [
    { name: "today's files", dockerfile, ignoreFile },
    ...proposals.map(({ name, ...files }) => ({
      name,
      dockerfile: files.dockerfile ?? dockerfile,
      ignoreFile: files.ignoreFile ?? ignoreFile,
    })),
  ];
}

function noDockerfile({ place, branch }: AnalyzeOptions, { commits }: CommitHistory): LayerwiseError {
  const where = `none of the last ${commits.length} commits of ${branch} has it`;
  return new LayerwiseError("DOCKERFILE_NOT_FOUND", `could not find the Dockerfile ${place.dockerfile}: ${where}`, {
    hint: "name it with --file, and the directory of the build context as argument",
  });
}

function analyzedHistory({ commits, end }: CommitHistory): Analysis["history"] {
  const newest = commits[0] as CommitHistory["commits"][number];
  const oldest = commits.at(-1) as CommitHistory["commits"][number];
  const days = Math.max(0, newest.time - oldest.time) / 86_400;
  return { commits: commits.length, oldest: oldest.id, newest: newest.id, end, days };
}

function rateOf(
  { buildsPerMonth, pricePerMinute }: AnalyzeOptions,
  { history, costs }: { history: CommitHistory; costs: Costs },
): AnalyzedCosts {
  const pace = paceOf(analyzedHistory(history));
  return {
    unit: costs.unit,
    reports: costs.reports,
    buildsPerMonth: buildsPerMonth ?? pace,
    rate: buildsPerMonth !== undefined ? "option" : pace !== undefined ? "history" : undefined,
    pricePerMinute,
  };
}

type Run = (
  placed: readonly PlacedCommit[],
  files: Pick<ReplayInput, "dockerfile" | "ignoreFile">,
) => Promise<Replayed>;

interface Tried {
  readonly name: string;
  readonly outcomes: readonly CommitOutcome[];
}

/** Replays with each of the proposals, on those commits that can be built with all of them. */
async function runComparably(
  proposals: readonly Proposal[],
  { placed, run }: { placed: readonly PlacedCommit[]; run: Run },
): Promise<readonly Tried[]> {
  const replayAll = async (commits: readonly PlacedCommit[]): Promise<readonly Tried[]> => {
    const tried: Tried[] = [];
    for (const { name, ...files } of proposals) tried.push({ name, outcomes: (await run(commits, files)).outcomes });
    return tried;
  };
  const all = await replayAll(placed);
  const common = commonCommits(all);
  // A build that is not compared must leave no checkpoints either.
  return common.size === placed.length ? all : await replayAll(placed.filter(({ commit }) => common.has(commit.id)));
}

function commonCommits(tried: readonly Tried[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { kind, commit } of tried.flatMap(({ outcomes }) => outcomes)) {
    if (kind === "planned" || kind === "whole") counts.set(commit.id, (counts.get(commit.id) ?? 0) + 1);
  }
  return new Set([...counts].filter(([, count]) => count === tried.length).map(([id]) => id));
}
