// SPDX-License-Identifier: Apache-2.0
import type { Dockerfile, Instruction, Stage } from "../dockerfile/instruction.ts";
import type { AppliedInstruction, EvaluatedStage } from "../plan/evaluate-stages.ts";
import type { RedeclaredArg } from "../plan/resume-config.ts";
import type { Step } from "../plan/step.ts";
import { pinnedReads } from "./pinned-reads.ts";

/** Where a stage of the residual begins. */
export type ResidualStart =
  | { readonly kind: "begin" }
  /** From an image that holds the first `done` steps; `args` were in scope behind them. */
  | {
      readonly kind: "image";
      readonly reference: string;
      readonly done: number;
      readonly args: readonly RedeclaredArg[];
    };

/** What the residual is written from. */
export interface ResidualInput {
  readonly dockerfile: Dockerfile;
  readonly stages: ReadonlyMap<number, EvaluatedStage>;
  /** Stages that the engine needs; the others become empty. */
  readonly starts: ReadonlyMap<number, ResidualStart>;
  /** References with the digests that planning saw, for FROM, --from and mounts. */
  readonly pins: ReadonlyMap<string, string>;
}

/** A Dockerfile for the engine. */
export interface Residual {
  readonly text: string;
  /** The name that each stage has in it, by index. */
  readonly names: ReadonlyMap<number, string>;
  /** What the engine executes of each stage, by the stage's index. */
  readonly executed: ReadonlyMap<number, ExecutedStage>;
}

/** The steps of a stage that the engine executes, as its progress counts them. */
export interface ExecutedStage {
  /** Whether the engine counts the base as a step: images it must load are, scratch and other stages are not. */
  readonly countsBase: boolean;
  /** Positions among the stage's own steps. */
  readonly first: number;
  readonly steps: readonly Step[];
}

/**
 * Writes what is left of a Dockerfile: each stage starts where its checkpoint ends, with the arguments in scope
 * declared again, and keeps only instructions that files depend on. The config is replayed, not built.
 */
export function residualOf(input: ResidualInput): Residual {
  const { dockerfile, stages, starts } = input;
  const lines = startLines();
  for (const directive of directivesOf(dockerfile)) lines.add(directive);
  for (const arg of dockerfile.globalArgs) lines.add(arg.source);
  const names = stageNames(dockerfile);
  const executed = new Map(
    [...starts].map(([index, start]) => [index, executedFrom(stages.get(index) as EvaluatedStage, start)]),
  );
  const last = Math.max(...starts.keys());
  for (const stage of dockerfile.stages.slice(0, last + 1)) {
    const start = starts.get(stage.index);
    const name = names.get(stage.index) as string;
    // A stage that is not needed stays as an empty one, so that numbers in --from go on counting as before.
    if (start === undefined) lines.add(`FROM scratch AS ${name}`);
    else addStage(lines, { input, stage: stages.get(stage.index) as EvaluatedStage, from: stage, start, names });
  }
  return { text: lines.text(), names, executed };
}

/**
 * The whole Dockerfile as written, only with the digests that planning saw, so that what is built is what was planned,
 * and with a name for each stage. Line numbers stay.
 */
export function pinnedDockerfile({ dockerfile, stages, pins }: Omit<ResidualInput, "starts">): Residual {
  const lines = dockerfile.text.split("\n");
  const names = stageNames(dockerfile);
  for (const stage of stages.values()) {
    const source = dockerfile.stages[stage.index] as Stage;
    const base = baseOf(stage, { start: { kind: "begin" }, names, pins });
    replaceLines(lines, source.from, fromLine(source, { base, name: names.get(stage.index) as string }));
    for (const applied of stage.applied) {
      const { instruction, isTrigger } = applied;
      const text = pinnedReads(instruction.source, {
        images: imagesReadBy(stage, applied),
        pins,
        mark: dockerfile.escape,
      });
      if (!isTrigger && text !== instruction.source) replaceLines(lines, instruction, text);
    }
  }
  return { text: lines.join("\n"), names, executed: executedInFull(stages) };
}

/** The Dockerfile as it is, for engines that read it from the context themselves: only its own names can be asked for. */
export function unchangedDockerfile({ dockerfile, stages }: Pick<ResidualInput, "dockerfile" | "stages">): Residual {
  const names = new Map(
    dockerfile.stages.flatMap((stage) =>
      hasOwnName(stage, dockerfile) ? [[stage.index, stage.name as string] as const] : [],
    ),
  );
  return { text: dockerfile.text, names, executed: executedInFull(stages) };
}

function executedInFull(stages: ResidualInput["stages"]): Residual["executed"] {
  return new Map([...stages.values()].map((stage) => [stage.index, executedFrom(stage, { kind: "begin" })]));
}

function executedFrom(stage: EvaluatedStage, start: ResidualStart): ExecutedStage {
  const first = start.kind === "begin" ? 0 : start.done;
  return { countsBase: start.kind === "image" || stage.base.kind === "image", first, steps: stage.steps.slice(first) };
}

interface Lines {
  add(text: string): void;
  text(): string;
}

function startLines(): Lines {
  const all: string[] = [];
  return { add: (text) => void all.push(text.replace(/\n$/, "")), text: () => `${all.join("\n")}\n` };
}

function directivesOf(dockerfile: Dockerfile): readonly string[] {
  const { syntax } = dockerfile;
  const front = syntax === undefined ? [] : [`# syntax=${syntax.reference}`];
  return dockerfile.escape === "`" ? [...front, "# escape=`"] : front;
}

/** Stages without a name of their own get one that no other stage has. */
function stageNames(dockerfile: Dockerfile): ReadonlyMap<number, string> {
  const { stages } = dockerfile;
  const taken = new Set(stages.map((stage) => stage.name));
  return new Map(
    stages.map((stage) => {
      if (hasOwnName(stage, dockerfile)) return [stage.index, stage.name as string];
      let name = `stage-${stage.index}`;
      while (taken.has(name)) name += "-";
      return [stage.index, name];
    }),
  );
}

/** Whether an engine that is asked for the stage's name gives this stage: of several with one name, it is the last. */
function hasOwnName({ index, name }: Stage, { stages }: Dockerfile): boolean {
  return name !== undefined && !stages.some((other) => other.index > index && other.name === name);
}

interface AddStage {
  readonly input: ResidualInput;
  readonly stage: EvaluatedStage;
  readonly from: Stage;
  readonly start: ResidualStart;
  readonly names: ReadonlyMap<number, string>;
}

function addStage(lines: Lines, { input, stage, from, start, names }: AddStage): void {
  const name = names.get(stage.index) as string;
  lines.add(fromLine(from, { base: baseOf(stage, { start, names, pins: input.pins }), name }));
  if (start.kind === "image") for (const arg of start.args) lines.add(argLine(arg));
  for (const applied of remaining(stage, start)) {
    if (!matters(applied.instruction)) continue;
    const images = imagesReadBy(stage, applied);
    lines.add(pinnedReads(applied.instruction.source, { images, pins: input.pins, mark: input.dockerfile.escape }));
  }
}

function fromLine({ platform }: Stage, { base, name }: { base: string; name: string }): string {
  const flag = platform === undefined ? "" : `--platform=${platform} `;
  return `FROM ${flag}${base} AS ${name}`;
}

function baseOf(
  stage: EvaluatedStage,
  {
    start,
    names,
    pins,
  }: { start: ResidualStart; names: ReadonlyMap<number, string>; pins: ReadonlyMap<string, string> },
): string {
  if (start.kind === "image") return start.reference;
  if (stage.base.kind === "scratch") return "scratch";
  if (stage.base.kind === "stage") return names.get(stage.base.stage) as string;
  return pins.get(stage.base.image.reference) ?? stage.base.image.reference;
}

/** Instructions after the steps that are done; the engine runs an image's ONBUILD triggers by itself. */
function remaining(stage: EvaluatedStage, start: ResidualStart): readonly AppliedInstruction[] {
  if (start.kind === "begin") {
    return stage.base.kind === "image" ? stage.applied.filter(({ isTrigger }) => !isTrigger) : stage.applied;
  }
  if (start.done === 0) return stage.applied;
  const last = stage.applied.findIndex(({ step }) => step === start.done - 1);
  return stage.applied.slice(last + 1);
}

/** Whether files can depend on an instruction, by itself or through those after it. */
function matters({ kind }: Instruction): boolean {
  return ["run", "copy", "add", "workdir", "env", "arg", "user", "shell"].includes(kind);
}

function argLine({ name, value }: RedeclaredArg): string {
  return value === undefined ? `ARG ${name}` : `ARG ${name}=${quoted(value)}`;
}

/** A word that expands to exactly this text: single quotes keep everything but themselves. */
function quoted(value: string): string {
  return value
    .split("'")
    .map((part) => `'${part}'`)
    .join(`"'"`);
}

/** The images, and not the stages, that COPY --from and mounts of an instruction name. */
function imagesReadBy(stage: EvaluatedStage, { step: position }: AppliedInstruction): ReadonlySet<string> {
  const step = position === undefined ? undefined : stage.steps[position];
  if (step === undefined || step.kind === "workdir") return new Set();
  const sources = step.kind === "run" ? step.mounts.map((mount) => mount.reads) : [step.from];
  return new Set(sources.flatMap((source) => (source.kind === "image" ? [source.reference] : [])));
}

/** Puts text in the place of an instruction; lines that it does not fill stay empty. */
function replaceLines(lines: string[], { at, source }: Pick<Instruction, "at" | "source">, text: string): void {
  const filled = linesOf(text);
  const length = linesOf(source).length;
  lines.splice(at.start.line - 1, length, ...Array.from({ length }, (_, index) => filled[index] ?? ""));
}

function linesOf(text: string): readonly string[] {
  return text.replace(/\n$/, "").split("\n");
}
