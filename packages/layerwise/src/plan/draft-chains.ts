// SPDX-License-Identifier: Apache-2.0
import type { IgnoreMatcher } from "../dockerfile/ignore.ts";
import type { Dockerfile } from "../dockerfile/instruction.ts";
import type { Emit } from "../event.ts";
import type { BuildContext, CallOptions } from "../ports.ts";
import { chainIdOf } from "../spec/image-config.ts";
import { formatPlatform, type Platform } from "../spec/platform.ts";
import { type Chain, chainsOf } from "./chain.ts";
import { type EvaluatedStage, evaluateStages } from "./evaluate-stages.ts";
import { type BaseImage, baseKey, type Facts, isReadable } from "./facts.ts";
import type { WantedImage } from "./gather-bases.ts";
import { type ContentOf, gatherContent } from "./gather-content.ts";
import { globalScopeOf, imagesReadBy, neededHeads, type StageHead } from "./global-scope.ts";
import { type NamedContexts, refuseUnread } from "./named-contexts.ts";
import { warnOfNearStages } from "./near-stage.ts";
import { wantedImages } from "./wanted-images.ts";

/** What keys are made of. */
export interface DraftInput extends CallOptions, NamedContexts {
  readonly dockerfile: Dockerfile;
  readonly target: string | undefined;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly context: BuildContext;
  readonly matcher: IgnoreMatcher;
  /** Flags that change what a RUN sees. */
  readonly runOptions: readonly string[];
  /** Resolves the images that the Dockerfile names. */
  readonly lookUp: (wanted: readonly WantedImage[]) => Promise<Facts["bases"]>;
  readonly emit: Emit;
}

/** The chains of all stages that a target needs, with keys, before it is known what of them exists. */
export interface Draft {
  readonly target: Chain;
  readonly stages: ReadonlyMap<number, EvaluatedStage>;
  readonly chains: ReadonlyMap<number, Chain>;
  readonly content: ContentOf;
  readonly images: readonly BaseImage[];
  /** What stands for the layers of an image that a step takes files from. */
  readonly imageKey: (reference: string) => string | undefined;
}

/**
 * Makes the keys of all steps that a target needs.
 *
 * @throws Refusal if the Dockerfile has no certain meaning here
 */
export async function draftChains(input: DraftInput): Promise<Draft> {
  const { dockerfile, emit, buildArgs } = input;
  const scope = globalScopeOf(dockerfile, input);
  const heads = neededHeads(dockerfile, { scope, target: input.target, platform: input.targetPlatform });
  refuseUnread(heads, { contexts: input, imagesReadBy: (head) => imagesReadBy(dockerfile, head) });
  const { directories, targetPlatform: platform } = input;
  const bases = await input.lookUp(wantedImages(dockerfile, { heads, platform, directories }));
  warnOfNearStages(dockerfile, { bases, emit });
  const facts: Facts = { bases, buildPlatform: input.buildPlatform, targetPlatform: platform, directories };
  const stages = evaluateStages(dockerfile, { heads, facts, scope });
  const steps = [...stages.values()].flatMap((stage) => stage.steps);
  const content = await gatherContent(steps, input);
  const keyOf = (reference: string) => imageKey(bases.get(baseKey(reference, formatPlatform(platform))));
  const chains = chainsOf(stages, {
    contentOf: (step) => content.get(step),
    buildArgs,
    runOptions: input.runOptions,
    imageKey: keyOf,
  });
  const last = heads.at(-1) as StageHead;
  const images = [...bases.values()].filter(isReadable);
  return { target: chains.get(last.stage.index) as Chain, stages, chains, content, images, imageKey: keyOf };
}

function imageKey(
  image: Facts["bases"] extends ReadonlyMap<string, infer T> ? T | undefined : never,
): string | undefined {
  return isReadable(image) ? (chainIdOf(image.config.diffIds) ?? "scratch") : undefined;
}
