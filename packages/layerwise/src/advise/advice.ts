// SPDX-License-Identifier: Apache-2.0
import type { Dockerfile, Instruction } from "../dockerfile/instruction.ts";
import type { ExplainedStep, Explanation } from "../explain/cause.ts";
import type { BuildRecord, StepRecord } from "../spec/build-record.ts";
import type { Edit } from "./edit.ts";

/** The stable name of a rule; docs/explain.md has a line for each. */
export type AdviceRule =
  | "ignore-noise"
  | "argument-before-run"
  | "copy-before-install"
  | "mode-of-checkout"
  | "base-moves"
  | "index-apart-from-install"
  | "owner-in-a-layer"
  | "workdir-after-copy";

/** What was observed in this project, and what would have avoided it. */
export interface Advice {
  readonly rule: AdviceRule;
  /** The line of the Dockerfile that it is about. */
  readonly line: number;
  /** What was observed. */
  readonly seen: string;
  /** How many steps were made because of it, and how many seconds they took when they last ran. */
  readonly cost: { readonly steps: number; readonly seconds: number };
  /** What to do. */
  readonly advice: string;
  readonly edits: readonly Edit[];
  /** What nobody can know from the outside. */
  readonly unknown: string;
  /** Whether `layerwise fix` may apply it. */
  readonly isSafe: boolean;
}

/** What rules look at. */
export interface Observed {
  readonly explanation: Explanation;
  readonly after: BuildRecord;
  /** Builds before, the newest first. */
  readonly earlier: readonly BuildRecord[];
  readonly dockerfile: Dockerfile;
  /** The text of the ignore file; empty if there is none. */
  readonly ignore: string;
}

/** A step that was made, and the instruction of the Dockerfile that it comes from. */
export interface MadeStep {
  readonly explained: ExplainedStep;
  readonly step: StepRecord;
  readonly instruction: Instruction;
  /** The instructions of its stage. */
  readonly siblings: readonly Instruction[];
}

/** The explained steps that stand in the Dockerfile as it is. */
export function madeSteps({ explanation, after, dockerfile }: Observed): readonly MadeStep[] {
  return explanation.steps.flatMap((explained) => {
    const stage = after.stages.find(({ name }) => name === explained.stage);
    const step = stage?.steps.find(
      ({ line, instruction }) => line === explained.line && instruction === explained.instruction,
    );
    const siblings = dockerfile.stages.find(
      ({ name, index }) => (name ?? String(index)) === explained.stage,
    )?.instructions;
    const instruction = siblings?.find(
      ({ at, text }) => at.start.line === explained.line && text === explained.instruction,
    );
    if (step === undefined || siblings === undefined || instruction === undefined) return [];
    return [{ explained, step, instruction, siblings }];
  });
}

/** What steps cost that go back to a line: how many, and how long they took when they last ran. */
export function costFrom(line: number, { explanation, after, earlier }: Observed): Advice["cost"] {
  const steps = explanation.steps.filter(({ origin }) => origin.line === line);
  const seconds = steps.reduce((sum, step) => sum + lastSeconds(step, [after, ...earlier]), 0);
  return { steps: steps.length, seconds: Math.round(seconds * 1000) / 1000 };
}

function lastSeconds({ instruction, stage: name }: ExplainedStep, builds: readonly BuildRecord[]): number {
  for (const { stages } of builds) {
    const steps = stages.find((stage) => stage.name === name)?.steps ?? [];
    const found = steps.find((step) => step.instruction === instruction && step.seconds > 0);
    if (found !== undefined) return found.seconds;
  }
  return 0;
}

/** The lines that an instruction takes. */
export function removed({ at }: Instruction): Edit {
  return { file: "dockerfile", line: at.start.line, remove: at.end.line - at.start.line + 1, insert: [] };
}

/** The lines of an instruction as they are written. */
export function sourceLines({ source }: Instruction): readonly string[] {
  return source.split("\n").map((line) => line.replace(/\r$/, ""));
}

/** Lines in the place of an instruction. */
export function replaced(instruction: Instruction, insert: readonly string[]): Edit {
  return { ...removed(instruction), insert };
}

/** Lines right before or right after an instruction. */
export function beside(instruction: Instruction, where: "before" | "after", insert: readonly string[]): Edit {
  const line = where === "before" ? instruction.at.start.line : instruction.at.end.line + 1;
  return { file: "dockerfile", line, remove: 0, insert };
}
