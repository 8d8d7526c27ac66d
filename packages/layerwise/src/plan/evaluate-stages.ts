// SPDX-License-Identifier: Apache-2.0
import type { Dockerfile, Instruction, Stage } from "../dockerfile/instruction.ts";
import { parseTrigger } from "../dockerfile/parse.ts";
import { stageByFrom, stageByName } from "../dockerfile/stage.ts";
import type { Platform } from "../spec/platform.ts";
import { formatPlatform } from "../spec/platform.ts";
import { applyConfig, type ConfigInstruction } from "./evaluate-config.ts";
import { evaluateStep, type StepInstruction, type StepScope } from "./evaluate-step.ts";
import { type BaseImage, baseKey, type Facts, isReadable } from "./facts.ts";
import { type GlobalScope, refuseUnclear, type StageHead } from "./global-scope.ts";
import { located } from "./located.ts";
import { contextName } from "./named-contexts.ts";
import { refuseWhole } from "./refusal.ts";
import { emptyImageConfig, type StageState, stateFromBase, stateFromStage } from "./stage-state.ts";
import type { FileSource, HistoryDraft, Step } from "./step.ts";

/** Where a stage starts. */
export type StageBase =
  | { readonly kind: "scratch" }
  | { readonly kind: "image"; readonly image: BaseImage }
  | { readonly kind: "stage"; readonly stage: number };

/** A stage after evaluation. */
export interface EvaluatedStage {
  readonly index: number;
  readonly name: string | undefined;
  readonly platform: Platform;
  readonly base: StageBase;
  readonly initial: StageState;
  readonly steps: readonly Step[];
  /** All instructions in the order they take effect, those that ONBUILD adds first. */
  readonly applied: readonly AppliedInstruction[];
  readonly final: StageState;
  /** What the stage itself adds to the history. */
  readonly history: readonly HistoryDraft[];
}

/** An instruction as it took effect. */
export interface AppliedInstruction {
  readonly instruction: Instruction;
  /** Whether it comes from an ONBUILD of the base. */
  readonly isTrigger: boolean;
  /** Position among the stage's steps; undefined if it makes no layer. */
  readonly step: number | undefined;
}

/**
 * Evaluates stages in their order: bases resolved, variables expanded, configs folded. Pure.
 *
 * @param heads the stages that the target needs, in the order of the file
 * @throws Refusal of scope "whole" if something in them has no certain meaning here
 */
export function evaluateStages(
  dockerfile: Dockerfile,
  { heads, facts, scope }: { heads: readonly StageHead[]; facts: Facts; scope: GlobalScope },
): ReadonlyMap<number, EvaluatedStage> {
  const stages = new Map<number, EvaluatedStage>();
  for (const head of heads) {
    stages.set(head.stage.index, evaluateStage(head, { dockerfile, facts, scope, stages }));
  }
  return stages;
}

interface Surroundings {
  readonly dockerfile: Dockerfile;
  readonly facts: Facts;
  readonly scope: GlobalScope;
  readonly stages: ReadonlyMap<number, EvaluatedStage>;
}

function evaluateStage(head: StageHead, around: Surroundings): EvaluatedStage {
  const { stage } = head;
  const base = baseOf(head, around);
  const parent = base.kind === "stage" ? (around.stages.get(base.stage) as EvaluatedStage) : undefined;
  const initial = initialState(base, { parent, platform: head.platform });
  const triggers = triggersOf(base, { parent, stage });
  const run = startRun(initial, { stage, around });
  for (const trigger of triggers) located(trigger.at, () => run.apply(trigger, true));
  for (const instruction of stage.instructions) located(instruction.at, () => run.apply(instruction, false));
  const platform = parent?.platform ?? head.platform;
  return { index: stage.index, name: stage.name, platform, base, initial, ...run.result() };
}

function baseOf({ stage, base, platform, parent }: StageHead, { facts }: Surroundings): StageBase {
  if (parent !== undefined) return { kind: "stage", stage: parent };
  if (base === "scratch") return { kind: "scratch" };
  const image = facts.bases.get(baseKey(base, formatPlatform(platform)));
  if (isReadable(image)) {
    refuseRelativeDirectory(image, stage);
    return { kind: "image", image };
  }
  const { reason, why, cause } = image ?? { reason: "base-unreadable", why: "it was not asked for", cause: undefined };
  return refuseWhole({ name: reason, detail: `${base}: ${why}`, at: stage.from.at, cause });
}

/** Engines join it to the root once or twice. */
function refuseRelativeDirectory({ config }: BaseImage, stage: Stage): void {
  const { WorkingDir = "" } = config.config;
  if (WorkingDir === "" || WorkingDir.startsWith("/")) return;
  refuseWhole({
    name: "instruction-form",
    detail: `the base's working directory ${WorkingDir} is relative`,
    at: stage.from.at,
  });
}

function initialState(
  base: StageBase,
  { parent, platform }: { parent: EvaluatedStage | undefined; platform: Platform },
): StageState {
  if (parent !== undefined) return stateFromStage(parent.final);
  if (base.kind === "image") return stateFromBase(base.image.config);
  return stateFromBase(emptyImageConfig(platform));
}

/** What ONBUILD of the base adds before the stage's own instructions. */
function triggersOf(
  base: StageBase,
  { parent, stage }: { parent: EvaluatedStage | undefined; stage: Stage },
): readonly Instruction[] {
  const config = base.kind === "image" ? base.image.config.config : parent?.final.config;
  return (config?.OnBuild ?? []).flatMap((trigger) => {
    const { at } = stage.from;
    return [parseTrigger(trigger, at)].map((instruction) => {
      const reads =
        instruction.kind === "run"
          ? instruction.mounts.length > 0
          : "from" in instruction && instruction.from !== undefined;
      if (reads) refuseWhole({ name: "onbuild-reads-stage", detail: trigger, at });
      return instruction;
    });
  });
}

interface StageRun {
  apply(instruction: Instruction, isTrigger: boolean): void;
  result(): Pick<EvaluatedStage, "steps" | "applied" | "final" | "history">;
}

function startRun(initial: StageState, { stage, around }: { stage: Stage; around: Surroundings }): StageRun {
  let state = initial;
  const steps: Step[] = [];
  const applied: AppliedInstruction[] = [];
  const history: HistoryDraft[] = [];
  const sourceOf = (from: string, by: "copy" | "mount") => fileSource({ from, by }, { stage, around });

  function apply(instruction: Instruction, isTrigger: boolean): void {
    if (isStepInstruction(instruction)) {
      const scope: StepScope = { ...around.scope, stage: stage.index, isTrigger, sourceOf };
      const effect = evaluateStep(state, instruction, scope);
      const position = effect.step === undefined ? undefined : steps.length;
      history.push({ createdBy: effect.createdBy, step: position });
      applied.push({ instruction, isTrigger, step: position });
      if (effect.step !== undefined) steps.push(effect.step);
      state = effect.state;
      return;
    }
    refuseUnclear(instruction);
    const effect = applyConfig(state, instruction as ConfigInstruction, around.scope);
    if (effect.createdBy !== undefined) history.push({ createdBy: effect.createdBy, step: undefined });
    applied.push({ instruction, isTrigger, step: undefined });
    state = effect.state;
  }

  return { apply, result: () => ({ steps, applied, final: state, history }) };
}

function isStepInstruction(instruction: Instruction): instruction is StepInstruction {
  return ["run", "copy", "add", "workdir"].includes(instruction.kind);
}

/** A stage, by name or number, else a directory that has the name, else an image. */
function fileSource(
  { from, by }: { from: string; by: "copy" | "mount" },
  { stage, around }: { stage: Stage; around: Surroundings },
): FileSource {
  const find = by === "copy" ? stageByFrom : stageByName;
  const found = find(around.dockerfile, { from, before: stage.index });
  if (found !== undefined) return { kind: "stage", stage: found.index };
  const name = contextName(from);
  return around.facts.directories?.has(name) ? { kind: "context", name } : { kind: "image", reference: from };
}
