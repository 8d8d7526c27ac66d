// SPDX-License-Identifier: Apache-2.0
import type { Dockerfile } from "../src/dockerfile/instruction.ts";
import { parseDockerfile } from "../src/dockerfile/parse.ts";
import { type EvaluatedStage, evaluateStages } from "../src/plan/evaluate-stages.ts";
import { type BaseImage, baseKey } from "../src/plan/facts.ts";
import { globalScopeOf, neededHeads } from "../src/plan/global-scope.ts";
import type { ImageConfig } from "../src/spec/image-config.ts";
import { formatPlatform } from "../src/spec/platform.ts";
import { amd64, draftBase } from "./draft.ts";

/** What is known when a Dockerfile is evaluated. */
export interface EvaluationInput {
  /** Configs of base images by reference, as far as they matter. */
  readonly bases?: Readonly<Record<string, Partial<ImageConfig>>>;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly target?: string;
  /** Names of directories. */
  readonly directories?: readonly string[];
}

/** Evaluates the stages that a target needs; every image that a FROM names is there. */
export function evaluated(
  text: string,
  { bases = {}, buildArgs = {}, target, directories = [] }: EvaluationInput = {},
): { readonly dockerfile: Dockerfile; readonly stages: ReadonlyMap<number, EvaluatedStage> } {
  const dockerfile = parseDockerfile(text, "Dockerfile");
  const platforms = { buildPlatform: amd64, targetPlatform: amd64 };
  const scope = globalScopeOf(dockerfile, { ...platforms, buildArgs: new Map(Object.entries(buildArgs)) });
  const heads = neededHeads(dockerfile, { scope, target, platform: amd64 });
  const images = heads.map(({ base }): [string, BaseImage] => [
    baseKey(base, formatPlatform(amd64)),
    draftBase(base, bases[base]),
  ]);
  const named = new Map(directories.map((name) => [name, undefined]));
  const facts = { ...platforms, bases: new Map(images), directories: named };
  return { dockerfile, stages: evaluateStages(dockerfile, { heads, scope, facts }) };
}
