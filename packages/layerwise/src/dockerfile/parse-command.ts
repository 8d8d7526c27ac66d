// SPDX-License-Identifier: Apache-2.0
import { readFlags } from "./flags.ts";
import type {
  CommandInstruction,
  CommandLine,
  InstructionBase,
  RunInstruction,
  ShellInstruction,
} from "./instruction.ts";
import { readJsonArray } from "./json-array.ts";
import { mountSource } from "./mount.ts";
import { textBehindArray } from "./parse-list.ts";
import { baseOf, type Statement } from "./statement.ts";
import { syntaxError } from "./syntax-error.ts";

/** A command line, and whether it is read the same everywhere. */
export interface CommandReading extends Pick<InstructionBase, "disputes"> {
  readonly command: CommandLine;
}

/**
 * Reads a command line in exec form or shell form.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function readCommand(text: string): CommandReading {
  const { strings, isDisputed } = readJsonArray(text);
  if (strings !== undefined) return { command: { arguments: strings, form: "exec" }, disputes: [] };
  const command: CommandLine = { arguments: text === "" ? [] : [text], form: "shell" };
  return { command, disputes: isDisputed ? [textBehindArray] : [] };
}

/**
 * Reads CMD and ENTRYPOINT.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseCommand(statement: Statement, kind: CommandInstruction["kind"]): CommandInstruction {
  const { command, disputes } = readCommand(statement.rest);
  const flags = readFlags(statement.flags, {});
  return { kind, ...baseOf(statement, { unknownFlags: flags.unknown, disputes }), command };
}

const networks: readonly string[] = ["default", "none", "host"];
const securities: readonly string[] = ["sandbox", "insecure"];

/**
 * Reads RUN.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseRun(statement: Statement): RunInstruction {
  const { command, disputes } = readCommand(statement.rest);
  const flags = readFlags(statement.flags, { mount: "list", network: "text", security: "text" });
  const mounts = flags.list("mount");
  for (const mount of mounts) mountSource(mount);
  return {
    kind: "run",
    ...baseOf(statement, { unknownFlags: flags.unknown, disputes }),
    command,
    heredocs: statement.heredocs,
    mounts,
    network: oneOf(flags.list("network")[0], { name: "network", values: networks }),
    security: oneOf(flags.list("security")[0], { name: "security", values: securities }),
  };
}

/**
 * Reads SHELL.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseShell(statement: Statement): ShellInstruction {
  const { strings = [] } = readJsonArray(statement.rest);
  if (strings.length === 0) {
    throw syntaxError("could not read SHELL: it must be a JSON array with a program", {
      hint: 'write SHELL ["program", "argument"]',
      word: statement.rest,
    });
  }
  const flags = readFlags(statement.flags, {});
  return { kind: "shell", ...baseOf(statement, { unknownFlags: flags.unknown }), arguments: strings };
}

/** Unlike elsewhere, an empty value is a wrong one. */
function oneOf(
  value: string | undefined,
  { name, values }: { name: string; values: readonly string[] },
): string | undefined {
  if (value === undefined || values.includes(value)) return value;
  throw syntaxError(`could not read the flag --${name}: there is no ${name} "${value}"`, {
    hint: `write one of ${values.join(", ")}`,
    word: value,
  });
}
