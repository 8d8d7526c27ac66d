// SPDX-License-Identifier: Apache-2.0
import { expandWord } from "../dockerfile/expand.ts";
import type { Dockerfile, InstructionBase, Stage } from "../dockerfile/instruction.ts";
import { mountSource } from "../dockerfile/mount.ts";
import { neededStages } from "../dockerfile/needed-stages.ts";
import { baseStageOf, stageByFrom, stageByName, targetStage } from "../dockerfile/stage.ts";
import { syntaxError } from "../dockerfile/syntax-error.ts";
import { formatPlatform, type Platform, parsePlatform } from "../spec/platform.ts";
import { refuseDisputedArg } from "./disputed-args.ts";
import type { Scope } from "./evaluate-config.ts";
import { located } from "./located.ts";
import { refuseWhole } from "./refusal.ts";

/** What holds before the first FROM. */
export type GlobalScope = Scope;

/** A stage with what its FROM means. */
export interface StageHead {
  readonly stage: Stage;
  /** What follows FROM, expanded. */
  readonly base: string;
  /** The stage that it starts from, by index; undefined for an image or scratch. */
  readonly parent: number | undefined;
  /** The platform of its base. */
  readonly platform: Platform;
}

/** What a build is for. */
export interface GlobalInput {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
}

/**
 * Evaluates the ARGs before the first FROM, on top of the platform arguments that exist by themselves.
 * https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
 */
export function globalScopeOf(
  dockerfile: Dockerfile,
  { buildArgs, buildPlatform, targetPlatform }: GlobalInput,
): GlobalScope {
  const globalArgs = new Map<string, string>([
    ...platformArgs("BUILD", buildPlatform),
    ...platformArgs("TARGET", targetPlatform),
  ]);
  for (const name of globalArgs.keys()) {
    const given = buildArgs.get(name);
    if (given !== undefined) globalArgs.set(name, given);
  }
  for (const instruction of dockerfile.globalArgs) {
    refuseUnclear(instruction);
    for (const { name, value } of instruction.declarations) {
      refuseDisputedArg(`${name} ${value}`, instruction.at);
      const given = buildArgs.get(name);
      const fallback =
        value === undefined
          ? undefined
          : located(instruction.at, () => expandWord(value, globalArgs, { escape: dockerfile.escape }));
      const used = given ?? fallback;
      if (used !== undefined) globalArgs.set(name, used);
    }
  }
  const frontEnd = buildArgs.get("BUILDKIT_SYNTAX") ?? dockerfile.syntax?.reference;
  return { escape: dockerfile.escape, frontEnd, buildArgs, globalArgs };
}

/**
 * The stages that a target needs, in the order of the file, with their bases; the target is the last one.
 *
 * @throws DOCKERFILE_UNKNOWN_STAGE, DOCKERFILE_SYNTAX
 */
export function neededHeads(
  dockerfile: Dockerfile,
  { scope, target, platform }: { scope: GlobalScope; target: string | undefined; platform: Platform },
): readonly StageHead[] {
  const expand = (stage: Stage, word: string) =>
    located(stage.from.at, () => expandWord(word, scope.globalArgs, { escape: scope.escape }));
  const wanted = targetStage(dockerfile, target);
  const stages = neededStages(dockerfile, { target: wanted, expandBase: (stage) => expand(stage, stage.base) });
  return stages.map((stage) => {
    refuseDisputedArg(`${stage.base} ${stage.platform}`, stage.from.at);
    const base = expand(stage, stage.base);
    if (base === "") {
      throw syntaxError(`could not start a stage: ${stage.base} is empty`, {
        at: stage.from.at,
        hint: "give the ARG a default, or pass it with --build-arg",
      });
    }
    refuseUnclear(stage.from);
    const parent = baseStageOf(dockerfile, { base, stage })?.index;
    const word = stage.platform === undefined ? undefined : expand(stage, stage.platform);
    return { stage, base, parent, platform: word === undefined ? platform : stagePlatform(word, stage) };
  });
}

/** Leaves a Dockerfile to the engine whose meaning depends on the version of the front end. */
export function refuseUnclear({ unknownFlags, disputes, at }: InstructionBase): void {
  if (unknownFlags.length > 0) refuseWhole({ name: "flag-unknown", detail: unknownFlags.join(" "), at });
  if (disputes.length > 0) refuseWhole({ name: "instruction-form", detail: disputes.join(", "), at });
}

/** Images that COPY --from and RUN --mount of a stage read. */
export function imagesReadBy(dockerfile: Dockerfile, { stage }: StageHead): readonly string[] {
  const before = stage.index;
  return stage.instructions.flatMap((instruction) => {
    const { at } = instruction;
    if (instruction.kind === "copy") {
      const { from } = instruction;
      return from === undefined || stageByFrom(dockerfile, { from, before, at }) !== undefined ? [] : [from];
    }
    if (instruction.kind !== "run") return [];
    return instruction.mounts.flatMap((mount) => {
      const from = mountSource(mount);
      return from === undefined || stageByName(dockerfile, { from, before, at }) !== undefined ? [] : [from];
    });
  });
}

function stagePlatform(word: string, stage: Stage): Platform {
  // A name without a slash means the rest of the machine's own platform, which is the engine's.
  const platform = parsePlatform(word);
  return platform ?? refuseWhole({ name: "base-platform", detail: word, at: stage.from.at });
}

function platformArgs(prefix: string, platform: Platform): readonly [string, string][] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ""],
  ];
}
