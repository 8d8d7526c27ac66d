// SPDX-License-Identifier: Apache-2.0
import { isLayerwiseError, LayerwiseError, type SourceRange } from "../error.ts";
import { detectCheck, detectSyntax, parseEscape } from "./directive.ts";
import type { ArgInstruction, Dockerfile, Instruction, Stage } from "./instruction.ts";
import { maxLineBytes, splitLines, tooLongLine } from "./lines.ts";
import { parseFrom, type StageHead } from "./parse-from.ts";
import { parseInstruction } from "./parse-instruction.ts";
import { rangeOfLines } from "./position.ts";
import { type LocatedStatement, placeError, readStatements } from "./read-statements.ts";
import { trimSpace } from "./space.ts";
import type { Statement } from "./statement.ts";
import { syntaxError } from "./syntax-error.ts";

/**
 * Reads a Dockerfile as BuildKit's newest front end reads it, whatever front end the file asks for.
 *
 * @param file how messages name it
 * @throws DOCKERFILE_SYNTAX with the place of the first problem; the details list all if there are several
 */
export function parseDockerfile(text: string, file: string): Dockerfile {
  const lines = splitLines(text);
  refuseUnreadable(lines, file);
  const mark = parseEscape(lines, file);
  const { located, problem } = readStatements(lines, { file, escape: mark });
  const draft = collectStages(located);
  const problems = problem === undefined ? draft.problems : [...draft.problems, problem];
  const { globalArgs, stages } = draft;
  if (problems.length > 0) throw summaryOf(problems);
  if (stages.length === 0) {
    throw syntaxError(`could not read ${file}: it has no FROM`, { hint: "start a stage with FROM image" });
  }
  const syntax = detectSyntax(text, file);
  return { file, text, escape: mark, syntax, check: detectCheck(text), globalArgs, stages };
}

/**
 * Reads a trigger, what ONBUILD of a base holds, as the one instruction that it must be.
 *
 * @param at where the build meets it: the FROM that names the base
 * @throws DOCKERFILE_SYNTAX
 */
export function parseTrigger(trigger: string, at: SourceRange): Instruction {
  try {
    const lines = splitLines(trigger);
    const { located, problem } = readStatements(lines, { file: at.file, escape: parseEscape(lines, at.file) });
    const [first, ...others] = located;
    if (problem !== undefined) throw problem;
    if (first === undefined || others.length > 0 || first.statement.keyword === "from") {
      throw syntaxError("it is not one instruction of a stage");
    }
    return { ...parseInstruction(first.statement), at };
  } catch (error) {
    if (!isLayerwiseError(error)) throw error;
    const hint = "correct the ONBUILD instruction of the base, or start from another base";
    throw syntaxError(`could not use the trigger "${trigger}" of the base: ${error.message}`, { hint, at });
  }
}

function refuseUnreadable(lines: readonly string[], file: string): void {
  const long = tooLongLine(lines);
  if (long !== undefined) {
    throw syntaxError(`could not read ${file}: a line is longer than ${maxLineBytes} bytes`, {
      hint: "split the line, or put its content into a file and use COPY",
      at: rangeOfLines(lines, { span: { start: long, end: long + 1 }, file }),
    });
  }
  if (lines.every((line) => trimSpace(line) === "")) {
    throw syntaxError(`could not read ${file}: it is empty`, { hint: "start it with FROM image" });
  }
}

interface Draft {
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  readonly problems: readonly LayerwiseError[];
}

type StageDraft = StageHead & { readonly index: number; readonly instructions: Instruction[] };

function collectStages(located: readonly LocatedStatement[]): Draft {
  const globalArgs: ArgInstruction[] = [];
  const stages: StageDraft[] = [];
  const problems: LayerwiseError[] = [];
  /** Whether a FROM was met, or its absence noticed. */
  let isSettled = false;

  function add(statement: Statement): void {
    if (statement.keyword === "from") {
      isSettled = true;
      stages.push({ ...parseFrom(statement), index: stages.length, instructions: [] });
      return;
    }
    const instruction = parseInstruction(statement);
    const stage = stages.at(-1);
    if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === "arg") globalArgs.push(instruction);
    else if (!isSettled) {
      isSettled = true;
      throw noStage(statement);
    }
  }

  for (const { statement, line } of located) {
    try {
      add(statement);
    } catch (error) {
      problems.push(placeError(error, { line, at: statement.at }));
    }
  }
  return { globalArgs, stages, problems };
}

function noStage({ keyword }: Statement): LayerwiseError {
  return syntaxError(`could not read ${keyword.toUpperCase()}: there is no FROM before it`, {
    hint: "put FROM image before it; only ARG can stand there",
  });
}

/** The first problem stands for all. */
function summaryOf(problems: readonly LayerwiseError[]): LayerwiseError {
  const [first, ...others] = problems as readonly [LayerwiseError, ...LayerwiseError[]];
  if (others.length === 0) return first;
  const more = others.length === 1 ? "1 more problem" : `${others.length} more problems`;
  const list = problems.map(({ at, message }) => `line ${at?.start.line}: ${message}`);
  return new LayerwiseError(first.code, `${first.message} (and ${more})`, {
    hint: first.hint,
    at: first.at,
    details: { ...first.details, problems: list },
  });
}
