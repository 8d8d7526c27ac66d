// SPDX-License-Identifier: Apache-2.0

import { type Backtest, type BuiltSteps, compareBuilds, type PredictedBuild } from "./analyze/backtest.ts";
import type { PlacedCommit } from "./analyze/follow-places.ts";
import { predictedSteps } from "./analyze/predicted-steps.ts";
import { type CommitOutcome, filesOf, type ReplayInput, replay } from "./analyze/replay.ts";
import { type AnalyzeOptions, lookUpOf, placedCommits } from "./analyze.ts";
import { type BuildSurroundings, build } from "./build.ts";
import { buildDefaults } from "./build-defaults.ts";
import { isLayerwiseError } from "./error.ts";
import type { BuildContext, CallOptions, Repository } from "./ports.ts";
import type { Report } from "./report/report.ts";
import { checkpointTag } from "./spec/checkpoint.ts";
import type { Digest } from "./spec/digest.ts";

/** What is built to see whether predictions hold. */
export interface BacktestOptions {
  /** How many of the newest commits. */
  readonly sample: number;
  /** Where images and checkpoints go. */
  readonly repository: Repository;
  /** Writes a context into a folder and opens that folder. */
  readonly checkOut: (context: BuildContext, options?: CallOptions) => Promise<BuildContext>;
}

/** Builds the newest commits one after the other, and compares what happens with what was predicted. */
export async function backtest(
  options: AnalyzeOptions,
  { sample, repository, checkOut }: BacktestOptions,
  surroundings: BuildSurroundings,
): Promise<Backtest> {
  const { placed } = await placedCommits(options);
  const tried = placed.filter(({ place }) => place !== undefined).slice(-sample);
  const { lookUp } = lookUpOf(options, { repositories: surroundings.ports.repositories, emit: surroundings.emit });
  const input: ReplayInput = { ...options, lookUp, dockerfile: undefined, ignoreFile: undefined };
  const keys = keysOf((await replay(tried, input)).outcomes);
  const present = await presentKeys(keys, { repository, signal: options.signal });
  const { outcomes } = await replay(tried, { ...input, present });
  const commits: PredictedBuild[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const one = tried[index] as PlacedCommit;
    const happened = await buildCommit(one, { input, options, repository, checkOut, surroundings });
    commits.push({ id: one.commit.id, predicted: predictedSteps(outcome), ...happened });
  }
  return compareBuilds(commits);
}

function keysOf(outcomes: readonly CommitOutcome[]): readonly Digest[] {
  const planned = outcomes.filter((outcome) => outcome.kind === "planned");
  const keys = planned.flatMap(({ steps }) => steps.flatMap(({ key }) => key ?? []));
  return [...new Set([...keys, ...planned.flatMap(({ transplants }) => transplants)])];
}

async function presentKeys(
  keys: readonly Digest[],
  { repository, signal }: { repository: Repository } & CallOptions,
): Promise<ReadonlySet<Digest>> {
  const present = new Set<Digest>();
  for (const key of keys) {
    if ((await repository.fetchManifest(checkpointTag(key), { signal })) !== undefined) present.add(key);
  }
  return present;
}

interface Building extends Pick<BacktestOptions, "repository" | "checkOut"> {
  readonly input: ReplayInput;
  readonly options: AnalyzeOptions;
  readonly surroundings: BuildSurroundings;
}

async function buildCommit(
  { commit, place }: PlacedCommit,
  { input, options, repository, checkOut, surroundings }: Building,
): Promise<Pick<PredictedBuild, "actual" | "error">> {
  const files = place && (await filesOf(commit, place, input));
  if (files === undefined) return { actual: undefined, error: "there is no Dockerfile" };
  const { signal } = options;
  try {
    const { report } = await build(
      {
        ...buildDefaults,
        dockerfile: { text: files.text, file: "Dockerfile" },
        ignoreFile: files.ignoreFile,
        context: await checkOut(files.context, { signal }),
        target: options.target,
        buildArgs: options.buildArgs,
        buildPlatform: options.buildPlatform,
        platform: options.targetPlatform,
        named: options.named,
        runOptions: options.runOptions,
        passThrough: options.runOptions,
        outputs: [{ kind: "repository", repository, tags: [`backtest-${commit.id.slice(0, 12)}`] }],
        cache: repository,
        checkpoints: options.checkpoints,
        version: options.version,
        signal,
      },
      surroundings,
    );
    return { actual: actualSteps(report), error: undefined };
  } catch (error) {
    if (!isLayerwiseError(error) || error.code === "CANCELLED") throw error;
    return { actual: undefined, error: `${error.code}: ${error.message}` };
  }
}

function actualSteps({ route, steps }: Report): BuiltSteps {
  return { route, steps: steps.map(({ stage, line, state, key }) => ({ stage, line, state, key })) };
}
