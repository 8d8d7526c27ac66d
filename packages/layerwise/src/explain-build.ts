// SPDX-License-Identifier: Apache-2.0
import type { Advice } from "./advise/advice.ts";
import { advise } from "./advise/advise.ts";
import { type BuildOptions, type BuildSurroundings, planOnly } from "./build.ts";
import { LayerwiseError } from "./error.ts";
import type { Explanation } from "./explain/cause.ts";
import { type BuildBefore, explainBuild } from "./explain/compare-builds.ts";
import {
  type BuildPlace,
  type History,
  recallBuildBefore,
  recallHistory,
  recallRecord,
} from "./explain/recall-build.ts";
import type { Plan } from "./plan/plan.ts";
import type { CallOptions, Ports, Repository } from "./ports.ts";
import { recallBefore, recordOf } from "./remember-build.ts";
import { plannedSteps } from "./report/planned-steps.ts";
import { recordEvents } from "./report/recorder.ts";
import type { BuildRecord } from "./spec/build-record.ts";
import { type Digest, isDigest } from "./spec/digest.ts";
import { readBuildRecord } from "./spec/record-document.ts";
import { parseReference } from "./spec/reference.ts";

/** An explanation and the two builds that it compares. */
export interface Explained {
  readonly explanation: Explanation;
  readonly after: BuildRecord;
  readonly before: BuildBefore;
}

/** What of a build context would have avoided steps that were made. */
export interface Advised extends Explained {
  readonly advice: readonly Advice[];
}

/** How many builds advice looks back: for what happens again and again. */
const adviceHistory = 10;

/** Values in the record of a plan are digested with this, so that plans of different machines can be compared. */
const planSalt = "plan";

/** What `layerwise explain` compares a plan by; undefined if nothing of the Dockerfile could be evaluated. */
export function recordOfPlan(
  plan: Plan,
  { options, now, refused = [] }: { options: BuildOptions; now: number; refused?: BuildRecord["refused"] },
): BuildRecord | undefined {
  return recordWithSalt(plan, { options, now, refused, salt: planSalt });
}

function recordWithSalt(
  plan: Plan,
  parts: { options: BuildOptions; now: number; refused: BuildRecord["refused"]; salt: string },
): BuildRecord | undefined {
  const outcomes = plannedSteps(plan).map((step) => ({ ...step, seconds: 0, bytes: undefined }));
  return recordOf(plan, { ...parts, outcomes });
}

/**
 * Explains what a build of this context would make, compared with the build before. If it would make nothing: what that
 * build made, compared with the one before it.
 */
export async function explainContext(
  options: BuildOptions,
  { ports, emit }: Omit<BuildSurroundings, "hear">,
): Promise<Advised> {
  const recorder = recordEvents(emit, () => ports.clock.ticks());
  const plan = await planOnly(options, { ports, emit: recorder.emit });
  const before = await recallBefore(options);
  const refused = recorder.result().checkpointsRefused;
  const salt = before.kind === "build" ? before.record.salt : planSalt;
  const after = recordWithSalt(plan, { options, now: ports.clock.now(), refused, salt });
  if (after === undefined) {
    const [reason] = plan.reasons;
    throw new LayerwiseError("USAGE", "could not explain the build: nothing of the Dockerfile can be evaluated here", {
      hint: "see `layerwise plan` for what an engine is needed for",
      at: reason?.at,
    });
  }
  const isPast = plan.route === "reuse" && before.kind === "build";
  const explained = isPast
    ? await explainRecord(before, options)
    : { explanation: explainBuild(after, before), after, before };
  const { dockerfile } = plan;
  const earlier = await recallHistory(explained.before, { ...options, last: adviceHistory });
  const ignore = options.ignoreFile ?? "";
  return { ...explained, advice: advise({ ...explained, earlier: earlier.builds, dockerfile, ignore }) };
}

/** Explains a build of the past, compared with the one that it followed. */
async function explainRecord(
  { record, name }: Extract<BuildBefore, { kind: "build" }>,
  { cache, signal }: { cache: Repository | undefined } & CallOptions,
): Promise<Explained> {
  const { previous } = record;
  const isKnown = previous !== undefined && isDigest(previous) && cache !== undefined;
  const before: BuildBefore = isKnown
    ? await recallRecord({ digest: previous, name: `the build before ${name}` }, { cache, signal })
    : { kind: "no-build", looked: [] };
  return { explanation: explainBuild(record, before), after: record, before };
}

/** Explains how the builds of two images differ: what the second one had to make. */
export async function explainReferences(
  references: readonly [string, string],
  { ports, cache, signal }: { ports: Ports; cache: Repository | undefined } & CallOptions,
): Promise<Explained> {
  const [before, after] = await Promise.all(
    references.map(async (reference) => await recordAt(reference, { ports, cache, signal })),
  );
  return explainRecords(before as Named, after as Named);
}

/** A build and what messages call it. */
export interface Named {
  readonly name: string;
  readonly record: BuildRecord;
}

/** Explains one build by another one. Pure. */
export function explainRecords({ name, record: before }: Named, { record: after }: Named): Explained {
  const found: BuildBefore = { kind: "build", name, record: before };
  return { explanation: explainBuild(differing(after, before), found), after, before: found };
}

/** What was made then, or not, says nothing here: steps that the other build did not have are explained. */
function differing(after: BuildRecord, before: BuildRecord): BuildRecord {
  const known = new Set(before.stages.flatMap(({ steps }) => steps.map(({ key }) => key)));
  const stages = after.stages.map((stage) => ({
    ...stage,
    steps: stage.steps.map((step) => {
      const isKnown = step.key !== undefined && known.has(step.key);
      return { ...step, state: isKnown ? ("reused" as const) : ("made" as const) };
    }),
  }));
  return { ...after, stages };
}

async function recordAt(
  reference: string,
  { ports, cache, signal }: { ports: Ports; cache: Repository | undefined } & CallOptions,
): Promise<Named> {
  const parsed = parseReference(reference);
  const repository = ports.repositories.inRegistry(parsed);
  const digest = await digestAt(repository, { reference: parsed.digest ?? parsed.tag ?? "latest", signal });
  if (digest === undefined) {
    throw new LayerwiseError("REGISTRY_NOT_FOUND", `could not find ${reference}: ${repository.name} does not have it`, {
      hint: "check the tag, and whether a lifecycle rule has removed it",
    });
  }
  const found = await recallRecord({ digest, name: reference }, { cache: cache ?? repository, signal });
  if (found.kind === "build") return { name: reference, record: found.record };
  const why = found.kind === "no-record" ? found.why : "there is none";
  throw new LayerwiseError("REGISTRY_NOT_FOUND", `could not find the record of the build of ${reference}: ${why}`, {
    hint: "records are saved beside checkpoints: name their repository with --cache-repo",
  });
}

async function digestAt(
  repository: Repository,
  { reference, signal }: { reference: string } & CallOptions,
): Promise<Digest | undefined> {
  return (await repository.fetchManifest(reference, { signal }))?.digest;
}

/**
 * Reads what `layerwise plan --json` or `layerwise history --json` wrote.
 *
 * @throws USAGE if it is something else
 */
export function readSavedBuild(text: string, name: string): Named {
  const refuse = (why: string): never => {
    throw new LayerwiseError("USAGE", `could not read ${name}: ${why}`, {
      hint: "give what `layerwise plan --json` or one build of `layerwise history --json` printed",
    });
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return refuse("it is no JSON");
  }
  const inner = typeof document === "object" && document !== null && "record" in document ? document.record : document;
  const record = readBuildRecord(inner);
  return typeof record === "string" ? refuse(`it is no plan and no record of a build: ${record}`) : { name, record };
}

/** The builds that led to the image that a tag points to. */
export async function buildHistory(
  { place, cache, signal }: { place: BuildPlace; cache: Repository } & CallOptions,
  { last = 20 }: { last?: number } = {},
): Promise<History> {
  return await recallHistory(await recallBuildBefore(place, { cache, signal }), { cache, signal, last });
}
