// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { expandWord } from "../dockerfile/expand.ts";
import { chompHeredoc, parseHeading } from "../dockerfile/heredoc.ts";
import type { CopyInstruction, Instruction, RunInstruction, WorkdirInstruction } from "../dockerfile/instruction.ts";
import { parseMount } from "../dockerfile/mount.ts";
import { syntaxError } from "../dockerfile/syntax-error.ts";
import { argvOf, type Scope, shellOf } from "./evaluate-config.ts";
import { copyText, runText } from "./history-text.ts";
import type { RouteReason } from "./route.ts";
import { type StageState, workingDirectory } from "./stage-state.ts";
import type { CopyStep, FileSource, RunStep, Step, StepBase, WorkdirStep } from "./step.ts";

/** An instruction that makes a layer, or WORKDIR. */
export type StepInstruction = Extract<Instruction, { kind: "run" | "copy" | "add" | "workdir" }>;

/** What such an instruction does: the state after it, its line in the history, and the step; WORKDIR / makes none. */
export interface StepEffect {
  readonly state: StageState;
  readonly createdBy: string;
  readonly step: Step | undefined;
}

/** What evaluating a step needs besides the state. */
export interface StepScope extends Scope {
  readonly stage: number;
  readonly isTrigger: boolean;
  /** What COPY --from and mounts name. */
  readonly sourceOf: (from: string, by: "copy" | "mount") => FileSource;
}

/** Evaluates an instruction that makes a layer: words expanded, paths absolute. */
export function evaluateStep(state: StageState, instruction: StepInstruction, scope: StepScope): StepEffect {
  switch (instruction.kind) {
    case "run":
      return evaluateRun(state, instruction, scope);
    case "workdir":
      return evaluateWorkdir(state, instruction, scope);
    default:
      return evaluateCopy(state, instruction, scope);
  }
}

function baseOf(state: StageState, instruction: StepInstruction, scope: StepScope): Omit<StepBase, "opaque"> {
  const { at, text, source } = instruction;
  return { stage: scope.stage, at, text, source, isTrigger: scope.isTrigger, before: state, after: state };
}

/** Why front ends may read an instruction differently, or not at all. */
function unclear({ unknownFlags, disputes, at }: StepInstruction): RouteReason | undefined {
  if (unknownFlags.length > 0) return { name: "flag-unknown", detail: unknownFlags.join(" "), at };
  return disputes.length > 0 ? { name: "instruction-form", detail: disputes.join(", "), at } : undefined;
}

function evaluateRun(state: StageState, instruction: RunInstruction, scope: StepScope): StepEffect {
  const expand = (word: string) => expandWord(word, state.environment, { escape: scope.escape });
  const step: RunStep = {
    ...baseOf(state, instruction, scope),
    kind: "run",
    opaque: unclear(instruction),
    argv: argvOf(state, instruction.command),
    heredocs: instruction.heredocs.map(({ name, content, chomp }) => ({ name, content, chomp })),
    mounts: instruction.mounts.map((word) => {
      const mount = parseMount(word, expand);
      return { ...mount, reads: mount.from === undefined ? { kind: "context" } : scope.sourceOf(mount.from, "mount") };
    }),
    network: instruction.network,
    security: instruction.security,
  };
  return { state, step, createdBy: runText(state, shownArgv(state, instruction, step.argv)) };
}

/** A single here-document is shown as the command that it stands for, several as the shell gets them. */
function shownArgv(
  state: StageState,
  { heredocs, command }: RunInstruction,
  argv: readonly string[],
): readonly string[] {
  const [first] = heredocs;
  if (first === undefined || command.form === "exec") return argv;
  if (parseHeading(command.arguments[0] ?? "") !== undefined) {
    const content = first.chomp ? chompHeredoc(first.content) : first.content;
    return [...shellOf(state), content.startsWith("#!") ? `/dev/pipes/${first.name}` : content];
  }
  const bodies = heredocs.map(({ content, name }) => `\n${content}${name}`);
  return [...shellOf(state), `${command.arguments[0]}${bodies.join("")}`];
}

/** An absolute path stays as written, also in the config; a relative one is joined to the directory so far. */
function evaluateWorkdir(state: StageState, instruction: WorkdirInstruction, scope: StepScope): StepEffect {
  const word = expandWord(instruction.path, state.environment, { escape: scope.escape });
  const path = word.startsWith("/") ? word : posix.resolve("/", workingDirectory(state), word);
  const after: StageState = { ...state, config: { ...state.config, WorkingDir: path } };
  const createdBy = `WORKDIR ${path}`;
  if (path === "/") return { state: after, createdBy, step: undefined };
  const step: WorkdirStep = {
    ...baseOf(state, instruction, scope),
    after,
    kind: "workdir",
    opaque: unclear(instruction),
    path,
    user: state.config.User ?? "",
  };
  return { state: after, createdBy, step };
}

function evaluateCopy(state: StageState, instruction: CopyInstruction, scope: StepScope): StepEffect {
  const expand = (word: string) => expandWord(word, state.environment, { escape: scope.escape });
  const expandBody = (text: string) => expandWord(text, state.environment, { escape: "\\", skipQuotes: true });
  const word = expand(instruction.destination);
  const optional = (value: string | undefined) => (value === undefined ? undefined : expand(value));
  const { kind, link, parents, keepGitDir, unpack, from } = instruction;
  const sources = instruction.sources.map(expand);
  const step: CopyStep = {
    ...baseOf(state, instruction, scope),
    kind,
    opaque: unclear(instruction) ?? copyForm(instruction, { sources, word }) ?? remoteContent(instruction, sources),
    from: from === undefined ? { kind: "context" } : scope.sourceOf(from, "copy"),
    sources,
    heredocs: instruction.heredocs.map(({ name, content, expand: expands }) => ({
      name,
      content: expands ? expandBody(content) : certainText(content, name),
    })),
    destination: absoluteDestination(workingDirectory(state), word),
    chown: optional(instruction.chown),
    chmod: optional(instruction.chmod),
    frontEnd: scope.frontEnd,
    link,
    parents,
    excludes: instruction.excludes,
    checksum: optional(instruction.checksum),
    keepGitDir,
    unpack,
  };
  return { state, step, createdBy: copyText(step, word) };
}

/**
 * BuildKit copies bytes that are no UTF-8 as they are, where no variable is expanded. The text of a Dockerfile has lost
 * them.
 */
function certainText(content: string, name: string): string {
  if (!content.includes("\ufffd")) return content;
  throw syntaxError(`could not copy the here-document ${name}: it holds bytes that are no UTF-8`, {
    hint: "put its content into a file of the build context, and copy that",
  });
}

/** Forms that front ends of different age resolve differently. */
function copyForm(
  instruction: CopyInstruction,
  { sources, word }: { sources: readonly string[]; word: string },
): RouteReason | undefined {
  const { from, chmod, heredocs, at } = instruction;
  const copiesFile = heredocs.length > 0 || !sources.every(isRoot);
  const forms: readonly (readonly [boolean | undefined, string])[] = [
    // To older ones the dot is not there, so that a file gets the name before it.
    [word.endsWith("/.") && copiesFile, `the destination ${word}`],
    [from?.includes("$"), `--from=${from}`],
    // Older ones pass over a mode that is no number, and take this for one.
    [chmod?.includes("$"), `--chmod=${chmod}`],
  ];
  const detail = forms.find(([isOne]) => isOne)?.[1];
  return detail === undefined ? undefined : { name: "instruction-form", detail, at };
}

/** Whether a source is all that there is, and so a directory for certain. */
function isRoot(source: string): boolean {
  return /^(?:\.\/*|\/+)$/.test(source);
}

/** What is behind a URL can change at any time, unless a checksum pins it. */
function remoteContent({ kind, checksum, at }: CopyInstruction, sources: readonly string[]): RouteReason | undefined {
  const remote = kind === "add" && checksum === undefined ? sources.find(isRemote) : undefined;
  return remote === undefined ? undefined : { name: "add-remote", detail: remote, at };
}

/** Whether ADD fetches a source instead of taking it from the context (dockerfile2llb, `isHTTPSource`; gitutil). */
export function isRemote(source: string): boolean {
  return /^(?:https?|git|ssh):\/\//.test(source) || /^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:/.test(source);
}

/** The destination seen from the root; a trailing slash, or the working directory itself, means a directory. */
function absoluteDestination(directory: string, word: string): string {
  const path = posix.resolve("/", directory, word);
  const meansDirectory = word === "" || word === "." || word.endsWith("/");
  return meansDirectory && path !== "/" ? `${path}/` : path;
}
