// SPDX-License-Identifier: Apache-2.0
import { createIgnoreMatcher, type IgnoreMatcher, parseIgnoreFile } from "./dockerfile/ignore.ts";
import { LayerwiseError } from "./error.ts";
import type { Emit } from "./event.ts";
import { type BuildPlace, recallHistory } from "./explain/recall-build.ts";
import { checkLocked, lockFlags } from "./lock.ts";
import { checkContent } from "./plan/check-content.ts";
import { type ContentIdentity, contentIdentity } from "./plan/content-identity.ts";
import type { NamedImages } from "./plan/gather-bases.ts";
import type { ContentOf } from "./plan/gather-content.ts";
import type { NamedContexts } from "./plan/named-contexts.ts";
import type { Plan } from "./plan/plan.ts";
import { planBuild } from "./plan/plan-build.ts";
import { describeReason, type RouteReason } from "./plan/route.ts";
import type { BuildContext, CallOptions, Ports, Repository } from "./ports.ts";
import type { EngineSurroundings } from "./produce/engine-build.ts";
import type { Image } from "./produce/image.ts";
import { produce } from "./produce/produce.ts";
import { type Delivered, deliver, type Output } from "./publish/deliver.ts";
import { saveWhatWasMade } from "./publish/save-what-was-made.ts";
import { readDockerfile } from "./read-dockerfile.ts";
import { isRepeated, rememberBuild, type SourceRevision, startRecall } from "./remember-build.ts";
import { imagesDiffer } from "./report/images-differ.ts";
import { recordEvents } from "./report/recorder.ts";
import { type Report, reportOf } from "./report/report.ts";
import { engineNeeded, whyEngine } from "./report/why-engine.ts";
import type { BuildRecord } from "./spec/build-record.ts";
import { hexOf } from "./spec/digest.ts";
import type { LockedBases } from "./spec/lock-file.ts";
import { formatPlatform, type Platform } from "./spec/platform.ts";
import { type Verification, verifyImage } from "./verify/verify.ts";

/** Everything a build is asked to do; what the command line says, without its syntax. */
export interface BuildOptions extends CallOptions {
  /** No text if the Dockerfile is where only an engine reads it. */
  readonly dockerfile: { readonly text: string | undefined; readonly file: string };
  readonly ignoreFile: string | undefined;
  readonly context: BuildContext;
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Arguments that an engine's client adds by itself, unless `buildArgs` has them. */
  readonly clientArgs?: ReadonlyMap<string, string> | undefined;
  readonly buildPlatform: Platform;
  /** Undefined: the build platform. */
  readonly platform: Platform | undefined;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly named: NamedImages;
  /** Directories that have names, and names that stand for what only an engine reads. */
  readonly directories?: NamedContexts["directories"];
  readonly otherContexts?: NamedContexts["otherContexts"];
  /** What base images are taken by, whatever their tags point to; undefined: by their tags. */
  readonly locked?: LockedBases | undefined;
  /** Why nothing can be evaluated here, if that is known from the options alone. */
  readonly wholeReason: RouteReason | undefined;
  /** Flags that go to the engine as they are. */
  readonly passThrough: readonly string[];
  /** Those of them that change what a RUN sees. */
  readonly runOptions: readonly string[];
  readonly noCache: boolean | readonly string[];
  /** RUN layers made before this time (milliseconds since 1970) are made again. */
  readonly notBefore: number | undefined;
  readonly outputs: readonly Output[];
  readonly tagByContent: boolean;
  /** Where checkpoints are looked for and saved; undefined: nowhere. */
  readonly cache: Repository | undefined;
  readonly readOnlyCache: boolean;
  readonly checkpoints: "all" | "final" | "none";
  /** Never: a plan that needs an engine is ENGINE_NEEDED, before anything is written. */
  readonly engine: "auto" | "never";
  /** Where the build before is looked for, so that what was made can be explained; undefined: nowhere. */
  readonly place?: BuildPlace | undefined;
  /** How many builds before this one the result has, as far as they have records; none if undefined. */
  readonly history?: number | undefined;
  /** The revision and the branch of the source, for the record of the build. */
  readonly source?: SourceRevision | undefined;
  /** One build in how many is verified before anything of it is published; undefined: none. */
  readonly verifyOneIn: number | undefined;
  readonly version: string;
}

/** What a build did. */
export interface BuildResult {
  readonly plan: Plan;
  readonly delivered: Delivered;
  readonly report: Report;
  /** The builds before, the newest first. */
  readonly earlier: readonly BuildRecord[];
}

/** The outside world, and who listens. */
export interface BuildSurroundings {
  readonly ports: Ports;
  readonly emit: Emit;
  /** Tells the ports who hears their own events; those of a build belong to its report. */
  readonly hear: (listener: Emit) => void;
}

/** Plans a build, writing nothing. ENGINE_NEEDED if the plan needs an engine that the options forbid. */
export async function planOnly(options: BuildOptions, { ports, emit }: Omit<BuildSurroundings, "hear">): Promise<Plan> {
  const { dockerfile, wholeReason } = readDockerfile(options);
  if (options.locked !== undefined) checkLocked(options, options.locked);
  const matcher = ignoreMatcher(options);
  const targetPlatform = options.platform ?? options.buildPlatform;
  const { repositories } = ports;
  const buildArgs = new Map([...(options.clientArgs ?? []), ...options.buildArgs]);
  const what = { ...options, dockerfile, buildArgs, wholeReason, matcher, targetPlatform };
  const plan = await planBuild({ ...what, repositories, emit });
  emit({ kind: "planned", route: plan.route, why: plan.reasons.map(describeReason) });
  if (options.engine === "never" && plan.route === "engine") throw engineNeeded(plan);
  return plan;
}

/** What the ignore file leaves out. */
export function ignoreMatcher({ ignoreFile }: BuildOptions): IgnoreMatcher {
  return createIgnoreMatcher(parseIgnoreFile(ignoreFile ?? ""));
}

/** Builds an image: plans, makes what is left, delivers it, and saves checkpoints for the builds to come. */
export async function build(
  options: BuildOptions,
  { ports, emit: watcher, hear }: BuildSurroundings,
): Promise<BuildResult> {
  const recorder = recordEvents(watcher, () => ports.clock.ticks());
  const { emit } = recorder;
  hear(emit);
  const plan = await planOnly(options, { ports, emit });
  const identity = contentIdentity(plan, options);
  const outputs = options.tagByContent ? withContentTag(options.outputs, identity) : options.outputs;
  recorder.ended("plan");

  const recallBefore = startRecall(plan, options);
  const engine = engineSurroundings({ ...options, passThrough: flagsFor(plan, options) }, { ports, emit });
  const produced = await produce(plan, { options, engine, ports, emit }).catch((error: unknown) => {
    throw whyEngine(error, plan);
  });
  recorder.ended("produce");

  const verification = isDue(options, produced.image)
    ? await verifyImage(plan, produced.image, { target: options.target, engine })
    : undefined;
  if (verification?.outcome === "different") throw imagesDiffer(verification);
  recorder.ended("verify");

  // The tags are about to move.
  const isNew = !isRepeated(plan, produced);
  const { history } = options;
  const before = isNew || history !== undefined ? await recallBefore() : undefined;
  const delivered = await deliver(produced.image, { options: { ...options, outputs }, ports, emit });
  recorder.ended("publish");

  const about = { plan, produced, delivered, options: { ...options, outputs }, clock: ports.clock, emit };
  const remembered = isNew && before ? rememberBuild({ ...about, before, recorded: recorder.result() }) : undefined;
  await Promise.all([saveWhatWasMade(plan, produced, { options, engine, ports, emit }), remembered?.save()]);
  const earlier = before && history ? (await recallHistory(before, { ...options, last: history })).builds : [];
  recorder.ended("save");

  const { target, version } = options;
  const report = reportOf({
    plan,
    image: produced.image,
    delivered,
    identity,
    recorded: recorder.result(),
    target,
    verification: verification?.outcome,
    explanation: remembered?.explanation,
    version,
  });
  return { plan, delivered, report, earlier };
}

/** Plans and makes an image as a build would, compares it with an engine's, and publishes nothing. */
export async function verifyBuild(
  options: BuildOptions,
  { ports, emit }: Omit<BuildSurroundings, "hear">,
): Promise<Verification> {
  const plan = await planOnly(options, { ports, emit });
  const passThrough = flagsFor(plan, options);
  const engine = engineSurroundings({ ...options, passThrough, outputs: [] }, { ports, emit });
  const produced = await produce(plan, { options, engine, ports, emit }).catch((error: unknown) => {
    throw whyEngine(error, plan);
  });
  return await verifyImage(plan, produced.image, { target: options.target, engine });
}

/** The config tells builds apart as chance would, and the same build alike. */
function isDue({ verifyOneIn }: BuildOptions, { configDescriptor }: Image): boolean {
  if (verifyOneIn === undefined) return false;
  return Number.parseInt(hexOf(configDescriptor.digest).slice(0, 12), 16) % verifyOneIn === 0;
}

/** A Dockerfile that the engine gets as it is has its images by their tags, so the engine is told what they are locked to. */
function flagsFor({ work }: Plan, options: BuildOptions): readonly string[] {
  const { locked, passThrough } = options;
  return locked === undefined || work.kind !== "whole" ? passThrough : [...passThrough, ...lockFlags(options, locked)];
}

/** Engines push to the first repository of a registry that the image goes to; elsewhere it is taken from here. */
function engineSurroundings(
  options: BuildOptions,
  { ports, emit }: Omit<BuildSurroundings, "hear">,
): EngineSurroundings {
  const { ignoreFile, buildArgs, passThrough, labels, platform, cache, directories, signal } = options;
  const registry = options.outputs.find((output) => output.kind === "repository" && !output.repository.isLocal);
  const target =
    registry?.kind === "repository" ? { repository: registry.repository, name: registry.repository.name } : undefined;
  const { location } = options.context;
  if (location.kind === "none") {
    throw new LayerwiseError("USAGE", `could not build from ${options.context.name}: a revision can only be planned`, {
      hint: "check the revision out and build from its directory",
    });
  }
  const settings = {
    ignoreFile,
    context: location,
    directories: directoryPaths(directories),
    platform: platform === undefined ? undefined : formatPlatform(platform),
    buildArgs,
    passThrough,
    labels,
  };
  const checkContext = async (content: ContentOf) => {
    const { context } = options;
    await checkContent(content, { context, matcher: ignoreMatcher(options), directories, emit, signal });
  };
  return { ports, settings, cache, target, emit, checkContext, signal };
}

function directoryPaths(directories: NamedContexts["directories"]): ReadonlyMap<string, string> {
  const paths = [...(directories ?? [])].map(([name, { location }]) => [name, location] as const);
  return new Map(paths.flatMap(([name, place]) => (place.kind === "directory" ? [[name, place.path] as const] : [])));
}

function withContentTag(outputs: readonly Output[], identity: ContentIdentity | undefined): readonly Output[] {
  if (identity === undefined) {
    throw new LayerwiseError("USAGE", "could not tag by content: the result has inputs that only the engine knows", {
      hint: "drop --tag-by-content; `layerwise plan` names the instruction",
    });
  }
  return outputs.map((output) =>
    output.kind === "repository" ? { ...output, tags: [...output.tags, identity.tag] } : output,
  );
}
