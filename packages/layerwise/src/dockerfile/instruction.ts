// SPDX-License-Identifier: Apache-2.0
import type { SourceRange } from "../error.ts";

/** A here-document: its name is the delimiter, its content everything up to the line that repeats it. */
export interface Heredoc {
  readonly name: string;
  /** False if the delimiter was quoted: variables in the content stay as they are. RUN leaves both to its shell. */
  readonly expand: boolean;
  /** `<<-`: tabs at the start of lines do not belong to the content. */
  readonly chomp: boolean;
  readonly fileDescriptor: number;
  /** COPY and ADD: without the tabs that `<<-` drops. RUN: as written, see `chompHeredoc`. */
  readonly content: string;
}

/** What every instruction has. */
export interface InstructionBase {
  readonly at: SourceRange;
  /** The instruction as one line: continuations joined, comments gone, heredoc bodies left out. */
  readonly text: string;
  /**
   * The lines exactly as written, heredocs and comments included, without the last newline; for an engine. If the file
   * ends where a line is to be continued: the text.
   */
  readonly source: string;
  /** Flags that this front end does not know; such an instruction is the engine's to understand. */
  readonly unknownFlags: readonly string[];
  /**
   * What front ends of different versions read differently in it, one phrase each; it is read as the newest does, and
   * whoever cannot be sure of the version leaves it to the engine.
   */
  readonly disputes: readonly string[];
}

/** A command line: a list of arguments, or one text for a shell. */
export interface CommandLine {
  /** Exec form: the arguments. Shell form: one element, the text as written, or none if there is no text. */
  readonly arguments: readonly string[];
  readonly form: "exec" | "shell";
}

/** A word that variables are expanded in, as written, quotes and escapes included. */
export type Word = string;

/** NAME=VALUE, both words. */
export interface WordPair {
  readonly name: Word;
  readonly value: Word;
}

/** RUN */
export interface RunInstruction extends InstructionBase {
  readonly kind: "run";
  readonly command: CommandLine;
  readonly heredocs: readonly Heredoc[];
  /** Values of --mount, one each, as written. */
  readonly mounts: readonly Word[];
  readonly network: string | undefined;
  readonly security: string | undefined;
}

/** COPY or ADD */
export interface CopyInstruction extends InstructionBase {
  readonly kind: "copy" | "add";
  /** In order; those that are heredocs are in `heredocs` instead. */
  readonly sources: readonly Word[];
  readonly heredocs: readonly Heredoc[];
  readonly destination: Word;
  /** COPY --from, never expanded; it holds nothing that expansion would change. */
  readonly from: string | undefined;
  readonly chown: Word | undefined;
  readonly chmod: Word | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  /** Never expanded. */
  readonly excludes: readonly string[];
  /** ADD --checksum. */
  readonly checksum: Word | undefined;
  /** ADD --keep-git-dir. */
  readonly keepGitDir: boolean;
  /** ADD --unpack; undefined if it was not given. */
  readonly unpack: boolean | undefined;
}

/** WORKDIR */
export interface WorkdirInstruction extends InstructionBase {
  readonly kind: "workdir";
  readonly path: Word;
}

/** ENV or LABEL */
export interface PairsInstruction extends InstructionBase {
  readonly kind: "env" | "label";
  readonly pairs: readonly WordPair[];
}

/** ARG */
export interface ArgInstruction extends InstructionBase {
  readonly kind: "arg";
  readonly declarations: readonly { readonly name: Word; readonly value: Word | undefined }[];
}

/** USER, STOPSIGNAL or MAINTAINER; the latter is never expanded. */
export interface ValueInstruction extends InstructionBase {
  readonly kind: "user" | "stopsignal" | "maintainer";
  readonly value: Word;
}

/** CMD or ENTRYPOINT */
export interface CommandInstruction extends InstructionBase {
  readonly kind: "cmd" | "entrypoint";
  readonly command: CommandLine;
}

/** EXPOSE or VOLUME; those of EXPOSE are split into words when they are expanded. */
export interface ListInstruction extends InstructionBase {
  readonly kind: "expose" | "volume";
  readonly values: readonly Word[];
}

/** SHELL */
export interface ShellInstruction extends InstructionBase {
  readonly kind: "shell";
  readonly arguments: readonly string[];
}

/** HEALTHCHECK; durations in nanoseconds, 0 if not given. */
export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: "healthcheck";
  /** `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`. */
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** ONBUILD */
export interface OnbuildInstruction extends InstructionBase {
  readonly kind: "onbuild";
  /** The instruction to come, as the image config holds it; not checked, see `parseTrigger`. */
  readonly trigger: string;
}

/** An instruction of a stage. */
export type Instruction =
  | RunInstruction
  | CopyInstruction
  | WorkdirInstruction
  | PairsInstruction
  | ArgInstruction
  | ValueInstruction
  | CommandInstruction
  | ListInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | OnbuildInstruction;

/** FROM and what follows it. */
export interface Stage {
  /** Position in the file, from 0. */
  readonly index: number;
  /** In lower case; undefined without AS. */
  readonly name: string | undefined;
  /** What follows FROM, as written. */
  readonly base: Word;
  /** FROM --platform, as written. */
  readonly platform: Word | undefined;
  /** The FROM line. */
  readonly from: InstructionBase;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile, read but not evaluated. */
export interface Dockerfile {
  /** The path for messages. */
  readonly file: string;
  readonly text: string;
  readonly escape: "\\" | "`";
  /** The front end that `# syntax=` asks for, see `detectSyntax`. */
  readonly syntax: { readonly reference: string; readonly at: SourceRange } | undefined;
  /** Whether a `# check=` directive is there; its value as written. */
  readonly check: string | undefined;
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}
