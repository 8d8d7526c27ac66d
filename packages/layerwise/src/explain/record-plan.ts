// SPDX-License-Identifier: Apache-2.0
import type { Chain, ChainStep } from "../plan/chain.ts";
import { endKey, mayEndCheckpoint } from "../plan/chain.ts";
import type { EvaluatedStage } from "../plan/evaluate-stages.ts";
import type { BaseImage } from "../plan/facts.ts";
import type { Plan, PlannedStages } from "../plan/plan.ts";
import { splitVariable } from "../plan/stage-state.ts";
import type { FileSource, Step } from "../plan/step.ts";
import {
  type BaseRecord,
  type BuildRecord,
  keyedValue,
  type ReadRecord,
  type StageRecord,
  type StepRecord,
} from "../spec/build-record.ts";
import { digestOf, hexOf } from "../spec/digest.ts";
import { formatPlatform } from "../spec/platform.ts";
import { fileInputs, fullDepth } from "./file-inputs.ts";
import { argumentsOf, writtenVariables } from "./step-variables.ts";

/** What became of a step. */
export interface StepOutcome {
  readonly line: number;
  readonly key: string | undefined;
  readonly state: "reused" | "made";
  readonly by: "checkpoint" | "transplant" | "assemble" | "engine";
  /** Seconds. */
  readonly seconds: number;
  readonly bytes: number | undefined;
}

/** What a record says besides the plan. */
export interface RecordedAround
  extends Pick<BuildRecord, "time" | "tool" | "salt" | "target" | "buildArgs" | "ignore" | "noCache" | "refused"> {
  readonly outcomes: readonly StepOutcome[];
}

/** What of a plan is written down. */
export type RecordedPlan = Pick<Plan, "dockerfile" | "platform" | "route" | "evaluated">;

/** Longest instruction that is kept; the rest is cut. */
const maxInstruction = 2000;

/**
 * Writes down what goes into a build: names and digests, for a comparison with another one. Pure.
 *
 * @returns undefined if nothing of the Dockerfile could be evaluated
 */
export function recordPlan(plan: RecordedPlan, around: RecordedAround): BuildRecord | undefined {
  const { evaluated } = plan;
  if (evaluated === undefined) return undefined;
  const { outcomes, ...said } = around;
  const nameOf = (stage: number) => plan.dockerfile.stages[stage]?.name ?? String(stage);
  const recording: Recording = { plan, evaluated, salt: around.salt, outcomes, nameOf };
  return {
    version: 1,
    ...said,
    references: [],
    dockerfile: plan.dockerfile.file,
    platform: formatPlatform(plan.platform),
    route: plan.route,
    seconds: 0,
    sent: 0,
    received: 0,
    depth: fullDepth,
    stages: [...evaluated.stages.values()].map((stage) => stageRecord(stage, recording)),
  };
}

interface Recording {
  readonly plan: RecordedPlan;
  readonly evaluated: PlannedStages;
  readonly salt: string;
  readonly outcomes: readonly StepOutcome[];
  readonly nameOf: (stage: number) => string;
}

function stageRecord({ index, base }: EvaluatedStage, recording: Recording): StageRecord {
  const { plan, evaluated, nameOf, salt } = recording;
  const chain = evaluated.chains.get(index) as Chain;
  const from = plan.dockerfile.stages[index]?.from;
  return {
    name: nameOf(index),
    line: from?.at.start.line ?? 1,
    from: (from?.text ?? "").slice(0, maxInstruction),
    root: chain.root.digest,
    below: base.kind === "stage" ? nameOf(base.stage) : undefined,
    base: base.kind === "image" ? baseRecord(base.image, salt) : undefined,
    steps: chain.steps.slice(chain.inherited).map((step) => stepRecord(step, recording)),
  };
}

function baseRecord({ reference, digest, config }: BaseImage, salt: string): BaseRecord {
  const variables = (config.config.Env ?? []).map(splitVariable);
  return {
    reference,
    digest,
    layers: config.diffIds,
    environment: Object.fromEntries(
      variables.map(([name, value]) => [name, keyedValue(salt, { name: `environment ${name}`, value })]),
    ),
  };
}

function stepRecord(planned: ChainStep, recording: Recording): StepRecord {
  const { step, key } = planned;
  const { salt, evaluated, outcomes } = recording;
  const line = step.at.start.line;
  const outcome =
    outcomes.find((one) => key !== undefined && one.key === key.digest) ?? outcomes.find((one) => one.line === line);
  const inputs = (key?.inputs ?? []).filter(({ name }) => name !== "parent" && name !== "kind");
  return {
    line,
    kind: step.kind,
    instruction: step.text.slice(0, maxInstruction),
    written: hexOf(digestOf(step.source)).slice(0, 12),
    key: key?.digest,
    inputs: Object.fromEntries(inputs.map((input) => [input.name, keyedValue(salt, input)])),
    arguments: argumentsOf(step),
    variables: variablesIn(step, salt),
    files: fileInputs(evaluated.content.get(step)),
    reads: readsOf(step, recording),
    ends: mayEndCheckpoint(planned),
    state: outcome?.state ?? "reused",
    by: outcome?.by ?? "checkpoint",
    seconds: outcome?.seconds ?? 0,
    bytes: outcome?.bytes,
  };
}

/** The variables that stand in an instruction, with keyed digests of what they hold. */
function variablesIn(step: Step, salt: string): Record<string, string> {
  return Object.fromEntries(
    writtenVariables(step).map((name) => {
      const value = step.before.environment.get(name) as string;
      return [name, keyedValue(salt, { name: `environment ${name}`, value })];
    }),
  );
}

function readsOf(step: Step, recording: Recording): readonly ReadRecord[] {
  const sources =
    step.kind === "run" ? step.mounts.map(({ reads }) => reads) : step.kind === "workdir" ? [] : [step.from];
  return sources.filter((source) => source.kind !== "context").map((source) => readRecord(source, recording));
}

function readRecord(source: Exclude<FileSource, { kind: "context" }>, { evaluated, nameOf }: Recording): ReadRecord {
  if (source.kind === "image") {
    return { kind: "image", name: source.reference, key: evaluated.imageKey(source.reference) };
  }
  const chain = evaluated.chains.get(source.stage);
  return { kind: "stage", name: nameOf(source.stage), key: chain && endKey(chain)?.digest };
}
