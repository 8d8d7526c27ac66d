// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError, type SourceRange } from "../error.ts";
import type { Dockerfile, Stage } from "./instruction.ts";
import { nearest } from "./nearest.ts";

/** A word that means a stage or an image, and where it stands. */
export interface StageReference {
  readonly from: string;
  /** Index of the stage that the word stands in; only earlier ones can be meant. */
  readonly before: number;
  readonly at?: SourceRange | undefined;
}

/**
 * The stage to build: the one with the name, in any case, else the last. Of several with one name the last counts; a
 * number is no name.
 *
 * @throws DOCKERFILE_UNKNOWN_STAGE
 */
export function targetStage(dockerfile: Dockerfile, target: string | undefined): Stage {
  const { stages, file } = dockerfile;
  const stage = target === undefined || target === "" ? stages.at(-1) : stageNamed(stages, target);
  if (stage !== undefined) return stage;
  const names = stages.map(({ name }) => name).filter((name) => name !== undefined);
  const near = nearest(target ?? "", names);
  const known = names.length === 0 ? "give the stage a name with AS" : `write one of ${names.join(", ")}`;
  throw new LayerwiseError(
    "DOCKERFILE_UNKNOWN_STAGE",
    `could not find the target ${target}: no stage in ${file} has that name`,
    {
      hint: near === undefined ? known : `write ${near} if that is meant`,
    },
  );
}

/**
 * What a COPY --from means: a stage by its number or its name; undefined for an image.
 *
 * @throws DOCKERFILE_UNKNOWN_STAGE for a number that no stage has, and for a stage that is not an earlier one
 */
export function stageByFrom(dockerfile: Dockerfile, { from, before, at }: StageReference): Stage | undefined {
  const number = numberOf(from);
  if (number === undefined) return stageByName(dockerfile, { from, before, at });
  const stage = dockerfile.stages[number];
  if (stage !== undefined) return earlier(stage, { from, before, at });
  const most = dockerfile.stages.length - 1;
  throw new LayerwiseError(
    "DOCKERFILE_UNKNOWN_STAGE",
    `could not copy from stage ${from}: there is none of that number`,
    {
      hint: most === 0 ? "name an image" : `write a number from 0 to ${most}, or a name`,
      at,
    },
  );
}

/**
 * What the `from` of a RUN --mount means: a stage by its name; undefined for an image.
 *
 * @throws DOCKERFILE_UNKNOWN_STAGE for a stage that is not an earlier one
 */
export function stageByName(dockerfile: Dockerfile, { from, before, at }: StageReference): Stage | undefined {
  const stage = stageNamed(dockerfile.stages, from);
  return stage === undefined ? undefined : earlier(stage, { from, before, at });
}

/**
 * The stage that another one starts from; undefined for an image or `scratch`. Of several earlier stages with one name
 * the last counts, and here the name must be in lower case.
 *
 * @param base what follows FROM, expanded
 * @throws DOCKERFILE_UNKNOWN_STAGE for a stage's name that is not in lower case, which cannot be an image either
 */
export function baseStageOf(
  dockerfile: Dockerfile,
  { base, stage }: { base: string; stage: Stage },
): Stage | undefined {
  const candidates = dockerfile.stages.slice(0, stage.index);
  const found = candidates.findLast(({ name }) => name === base);
  if (found !== undefined || base === base.toLowerCase() || stageNamed(candidates, base) === undefined) return found;
  throw new LayerwiseError(
    "DOCKERFILE_UNKNOWN_STAGE",
    `could not start from ${base}: stages have names in lower case`,
    {
      hint: `write FROM ${base.toLowerCase()}`,
      at: stage.from.at,
    },
  );
}

/** The last stage of a name, in any case. */
export function stageNamed(stages: readonly Stage[], name: string): Stage | undefined {
  const lower = name.toLowerCase();
  return stages.findLast((stage) => stage.name === lower);
}

/** A stage's number as Go's `strconv.Atoi` reads it; undefined for any other word. */
function numberOf(word: string): number | undefined {
  return /^[+-]?[0-9]{1,18}$/.test(word) ? Number(word) : undefined;
}

function earlier(stage: Stage, { from, before, at }: StageReference): Stage {
  if (stage.index < before) return stage;
  const why = stage.index === before ? "it is the stage itself" : "it comes later";
  throw new LayerwiseError("DOCKERFILE_UNKNOWN_STAGE", `could not copy from stage ${from}: ${why}`, {
    hint: "move the stage before the one that copies from it",
    at,
  });
}
