// SPDX-License-Identifier: Apache-2.0
import type { Explanation } from "../explain/cause.ts";
import type { ContentIdentity } from "../plan/content-identity.ts";
import type { Plan } from "../plan/plan.ts";
import type { Route } from "../plan/route.ts";
import type { Image } from "../produce/image.ts";
import type { Delivered } from "../publish/deliver.ts";
import { formatPlatform } from "../spec/platform.ts";
import type { Verification } from "../verify/verify.ts";
import { type PlannedStep, plannedReasons, plannedSteps } from "./planned-steps.ts";
import { type Recorded, stepId } from "./recorder.ts";
import { type ReportedExplanation, shortExplanation } from "./reported-explanation.ts";

/** What a build did, for machines; `docs/report.md` describes the fields. */
export interface Report {
  /** Raised when a field changes its meaning; new fields do not raise it. */
  readonly version: 1;
  readonly tool: { readonly name: "layerwise"; readonly version: string };
  readonly dockerfile: string;
  readonly target: string | undefined;
  readonly platform: string;
  readonly route: Route;
  /** Why an engine was needed. */
  readonly reasons: readonly ReportedReason[];
  readonly engine: string | undefined;
  readonly steps: readonly ReportedStep[];
  /** Why steps were made, compared with the build before; undefined if the image is what it was. */
  readonly explanation: ReportedExplanation | undefined;
  /** Whether an engine built the same inputs whole and made an equal image; `own`: all of it is the engine's. */
  readonly verification: "equal" | "own" | undefined;
  readonly image: ReportedImage;
  readonly requests: Recorded["requests"];
  readonly blobs: Recorded["blobs"];
  readonly checkpoints: {
    readonly found: Recorded["checkpointsFound"];
    readonly saved: Recorded["checkpointsSaved"];
    readonly refused: Recorded["checkpointsRefused"];
  };
  readonly warnings: readonly string[];
  /** Seconds. */
  readonly seconds: Readonly<Record<keyof Recorded["durations"] | "total", number>>;
}

/** The phases of a build, in their order. */
export const phases = ["plan", "produce", "verify", "publish", "save"] as const;

/** A reason for the engine, with its place in the Dockerfile. */
export interface ReportedReason {
  readonly name: string;
  readonly text: string;
  readonly line: number | undefined;
}

/** One instruction that makes a layer. */
export interface ReportedStep {
  /** Name or number. */
  readonly stage: string;
  readonly line: number;
  readonly instruction: string;
  readonly state: "reused" | "made";
  readonly by: "checkpoint" | "transplant" | "assemble" | "engine";
  /** In a few words. */
  readonly why: string;
  /** Seconds; 0 for what was reused. */
  readonly seconds: number;
  /** When it began, in seconds since the build began; undefined for what was reused. */
  readonly start: number | undefined;
  /** Compressed bytes of its layer in the image; undefined for layers of other stages. */
  readonly bytes: number | undefined;
  /** The cache key; undefined if nothing can stand for the result. */
  readonly key: string | undefined;
}

/** The image that was delivered. */
export interface ReportedImage {
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes of the manifest. */
  readonly manifestSize: number;
  /** Digest of the config. */
  readonly config: string;
  /** What Docker calls it: the ID in the store that it was loaded into, else the config's digest. */
  readonly id: string;
  readonly references: readonly string[];
  readonly contentTag: string | undefined;
  /** Compressed bytes of all layers. */
  readonly bytes: number;
  readonly layers: number;
}

/** What a report is made from. */
export interface ReportInput {
  readonly plan: Plan;
  readonly image: Image;
  readonly delivered: Delivered;
  readonly identity: ContentIdentity | undefined;
  readonly recorded: Recorded;
  readonly target: string | undefined;
  readonly verification: Verification["outcome"] | undefined;
  readonly explanation: Explanation | undefined;
  readonly version: string;
}

/** Puts together what happened. Pure. */
export function reportOf({
  plan,
  image,
  delivered,
  identity,
  recorded,
  target,
  verification,
  explanation,
  version,
}: ReportInput): Report {
  const { durations } = recorded;
  const total = Object.values(durations).reduce((sum, duration) => sum + duration, 0);
  return {
    version: 1,
    tool: { name: "layerwise", version },
    dockerfile: plan.dockerfile.file,
    target,
    platform: formatPlatform(plan.platform),
    route: plan.route,
    reasons: plannedReasons(plan),
    engine: recorded.engine,
    verification: verification === "different" ? undefined : verification,
    steps: reportedSteps({ plan, image, recorded }),
    explanation: explanation && shortExplanation(explanation),
    image: {
      digest: delivered.digest,
      mediaType: delivered.mediaType,
      manifestSize: delivered.size,
      config: delivered.configDigest,
      id: delivered.imageId,
      references: delivered.references,
      contentTag: identity?.tag,
      bytes: image.layers.reduce((sum, layer) => sum + layer.descriptor.size, 0),
      layers: image.layers.length,
    },
    requests: recorded.requests,
    blobs: recorded.blobs,
    checkpoints: {
      found: recorded.checkpointsFound,
      saved: recorded.checkpointsSaved,
      refused: recorded.checkpointsRefused,
    },
    warnings: recorded.warnings,
    seconds: {
      plan: seconds(durations.plan),
      produce: seconds(durations.produce),
      verify: seconds(durations.verify),
      publish: seconds(durations.publish),
      save: seconds(durations.save),
      total: seconds(total),
    },
  };
}

/** All steps with what became of each. */
export function reportedSteps({
  plan,
  image,
  recorded,
}: Pick<ReportInput, "plan" | "image" | "recorded">): readonly ReportedStep[] {
  return plannedSteps(plan).map((step) => withOutcome(step, { recorded, image, plan }));
}

function withOutcome(
  { stageIndex, position, layer, ...step }: PlannedStep,
  { recorded, image, plan }: { recorded: Recorded; image: Image; plan: Plan },
): ReportedStep {
  const outcome = recorded.steps.get(stepId(stageIndex, position));
  const below = image.layers.length - (plan.work.kind === "whole" ? 0 : plan.work.chain.steps.length);
  const bytes = layer === undefined ? undefined : image.layers[below + layer]?.descriptor.size;
  const why = outcome?.cached === true ? "the engine had it" : step.why;
  const start = outcome === undefined || outcome.cached ? undefined : seconds(outcome.start);
  return { ...step, why, seconds: seconds(outcome?.duration ?? 0), start, bytes };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
