// SPDX-License-Identifier: Apache-2.0
import type { Dockerfile, Instruction, Stage } from "./instruction.ts";
import { mountSource } from "./mount.ts";
import { parseTrigger } from "./parse.ts";
import { baseStageOf, stageByFrom, stageByName, stageNamed } from "./stage.ts";

/** What the search for stages depends on. */
export interface NeededStagesOptions {
  readonly target: Stage;
  /** Expands what follows FROM; only variables from before the first FROM count in it. */
  readonly expandBase: (stage: Stage) => string;
}

/**
 * The stages that a target needs, itself included, in the order of the file: those it starts from, and those that COPY
 * --from and RUN --mount read, also in what ONBUILD of another stage adds.
 *
 * @throws DOCKERFILE_UNKNOWN_STAGE, DOCKERFILE_SYNTAX
 */
export function neededStages(dockerfile: Dockerfile, { target, expandBase }: NeededStagesOptions): readonly Stage[] {
  const needed = new Set<Stage>();
  const todo = [target];
  for (let stage = todo.pop(); stage !== undefined; stage = todo.pop()) {
    if (needed.has(stage)) continue;
    needed.add(stage);
    const base = baseStageOf(dockerfile, { base: expandBase(stage), stage });
    if (base !== undefined) todo.push(base);
    const instructions = [...(base === undefined ? [] : triggersOf(base, stage)), ...stage.instructions];
    for (const instruction of instructions) todo.push(...stagesRead(dockerfile, { instruction, stage }));
  }
  return dockerfile.stages.filter((stage) => needed.has(stage));
}

function triggersOf(base: Stage, stage: Stage): readonly Instruction[] {
  return base.instructions.flatMap((instruction) =>
    instruction.kind === "onbuild" ? [parseTrigger(instruction.trigger, stage.from.at)] : [],
  );
}

function stagesRead(
  dockerfile: Dockerfile,
  { instruction, stage }: { instruction: Instruction; stage: Stage },
): readonly Stage[] {
  const { at } = instruction;
  const before = stage.index;
  if (instruction.kind === "copy" && instruction.from !== undefined) {
    const read = stageByFrom(dockerfile, { from: instruction.from, before, at });
    return read === undefined ? [] : [read];
  }
  if (instruction.kind !== "run") return [];
  return instruction.mounts.flatMap((mount) => {
    const from = mountSource(mount);
    const read = from === undefined ? scratchStage(dockerfile, before) : stageByName(dockerfile, { from, before, at });
    return read === undefined ? [] : [read];
  });
}

/** A mount without `from` reads `scratch`, which BuildKit looks up like any other name. */
function scratchStage(dockerfile: Dockerfile, before: number): Stage | undefined {
  return stageNamed(dockerfile.stages.slice(0, before), "scratch");
}
