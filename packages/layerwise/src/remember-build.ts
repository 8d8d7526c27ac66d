// SPDX-License-Identifier: Apache-2.0
import { parseIgnoreFile } from "./dockerfile/ignore.ts";
import type { Emit } from "./event.ts";
import type { Explanation } from "./explain/cause.ts";
import { type BuildBefore, explainBuild } from "./explain/compare-builds.ts";
import { fitRecord, onlyTargetChain } from "./explain/fit-record.ts";
import { type BuildPlace, recallBuildBefore } from "./explain/recall-build.ts";
import { recordPlan, type StepOutcome } from "./explain/record-plan.ts";
import type { Plan } from "./plan/plan.ts";
import type { CallOptions, Clock, Repository } from "./ports.ts";
import type { Produced } from "./produce/produce.ts";
import type { Delivered, Output } from "./publish/deliver.ts";
import { saveRecord } from "./publish/save-record.ts";
import type { Recorded } from "./report/recorder.ts";
import { reportedSteps } from "./report/report.ts";
import { type BuildRecord, keyedArguments } from "./spec/build-record.ts";
import { hexOf } from "./spec/digest.ts";

/** The revision that is built, as far as it is known. */
export interface SourceRevision {
  readonly revision: string | undefined;
  readonly branch: string | undefined;
}

/** What remembering needs from the options of a build. */
export interface RememberOptions extends CallOptions {
  readonly ignoreFile: string | undefined;
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly noCache: boolean | readonly string[];
  readonly cache: Repository | undefined;
  readonly readOnlyCache: boolean;
  readonly checkpoints: "all" | "final" | "none";
  readonly place?: BuildPlace | undefined;
  readonly source?: SourceRevision | undefined;
  readonly version: string;
}

/** Finds the build before; there is none where the image has no place in a repository. */
export async function recallBefore({ place, cache, signal }: RememberOptions): Promise<BuildBefore> {
  if (place === undefined || cache === undefined) return { kind: "no-build", looked: [] };
  return await recallBuildBefore(place, { cache, signal });
}

/** Starts to look for the build before, if anything is to be made; what comes of it is asked for later. */
export function startRecall(plan: Plan, options: RememberOptions): () => Promise<BuildBefore> {
  let running = plan.route === "reuse" ? undefined : recallBefore(options);
  // Whoever asks hears of it; nobody does if the build fails before.
  running?.catch(() => undefined);
  return () => {
    running ??= recallBefore(options);
    return running;
  };
}

/** Whether an image is byte for byte the one that was published before: there is nothing to explain or to remember. */
export function isRepeated({ work }: Plan, { image }: Produced): boolean {
  if (work.kind !== "reuse") return false;
  return work.start?.checkpoint.configDescriptor.digest === image.configDescriptor.digest;
}

/** What a plan would be remembered as, comparable with the build before. */
export function recordOf(
  plan: Plan,
  {
    options,
    outcomes,
    refused,
    salt,
    now,
  }: {
    options: RememberOptions;
    outcomes: readonly StepOutcome[];
    refused: BuildRecord["refused"];
    salt: string;
    /** Milliseconds since 1970. */
    now: number;
  },
): BuildRecord | undefined {
  const { ignoreFile, target, buildArgs, noCache, source, version } = options;
  const record = recordPlan(plan, {
    time: new Date(now).toISOString(),
    tool: version,
    salt,
    target,
    buildArgs: keyedArguments(salt, buildArgs),
    ignore: parseIgnoreFile(ignoreFile ?? ""),
    noCache: noCache === true || (noCache !== false && noCache.length > 0) ? noCache : false,
    refused,
    outcomes,
  });
  return record && { ...record, revision: source?.revision, branch: source?.branch };
}

/** A build that is done: why it made what it made, and how it is saved for later ones. */
export interface Remembered {
  readonly explanation: Explanation | undefined;
  readonly save: () => Promise<void>;
}

/** What there is to remember when the image has its tags. */
export interface Finished {
  readonly plan: Plan;
  readonly produced: Produced;
  readonly delivered: Delivered;
  readonly before: BuildBefore;
  readonly recorded: Recorded;
  readonly options: RememberOptions & { readonly outputs: readonly Output[] };
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Explains a build and prepares its record. */
export function rememberBuild(finished: Finished): Remembered {
  const { plan, produced, delivered, before, recorded, options, clock } = finished;
  const record = recordOf(plan, {
    options,
    outcomes: reportedSteps({ plan, image: produced.image, recorded }),
    refused: recorded.checkpointsRefused,
    salt: before.kind === "build" ? before.record.salt : hexOf(delivered.digest).slice(0, 32),
    now: clock.now(),
  });
  if (record === undefined) return { explanation: undefined, save: async () => undefined };
  const { durations, requests } = recorded;
  const complete: BuildRecord = {
    ...record,
    image: delivered.digest,
    references: delivered.references,
    previous: before.kind === "no-build" || before.kind === "no-record" ? undefined : before.record.image,
    seconds: Math.round(durations.plan + durations.produce + durations.verify + durations.publish) / 1000,
    sent: requests.sent,
    received: requests.received,
  };
  return { explanation: explainBuild(complete, before), save: async () => await save(complete, finished) };
}

async function save(record: BuildRecord, { produced, delivered, options, emit }: Finished): Promise<void> {
  const { cache, readOnlyCache, checkpoints, outputs, signal } = options;
  const repositories = outputs.flatMap((output) => (output.kind === "repository" ? [output.repository.name] : []));
  if (cache === undefined || readOnlyCache || checkpoints === "none" || repositories.length === 0) return;
  const text = fitRecord(checkpoints === "final" ? onlyTargetChain(record) : record);
  if (text === undefined) {
    emit({ kind: "warning", message: "the record of the build is not saved: the Dockerfile has too many steps" });
    return;
  }
  const isThere = repositories.includes(cache.name);
  await saveRecord({ text, digest: delivered.digest, image: produced.image, isThere }, { cache, emit, signal });
}
