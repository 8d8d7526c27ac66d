// SPDX-License-Identifier: Apache-2.0
import type { Instruction } from "./instruction.ts";
import { nearest } from "./nearest.ts";
import { parseCommand, parseRun, parseShell } from "./parse-command.ts";
import { parseArg, parsePairsInstruction, parseValue, parseWorkdir } from "./parse-config.ts";
import { parseCopy } from "./parse-copy.ts";
import { parseHealthcheck } from "./parse-healthcheck.ts";
import { parseExpose, parseVolume } from "./parse-list.ts";
import { parseOnbuild } from "./parse-onbuild.ts";
import type { Statement } from "./statement.ts";
import { syntaxError } from "./syntax-error.ts";

type Parser = (statement: Statement) => Instruction;

/** All instructions of a stage, by keyword. */
const parsers: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ["add", (statement) => parseCopy(statement, "add")],
  ["arg", parseArg],
  ["cmd", (statement) => parseCommand(statement, "cmd")],
  ["copy", (statement) => parseCopy(statement, "copy")],
  ["entrypoint", (statement) => parseCommand(statement, "entrypoint")],
  ["env", (statement) => parsePairsInstruction(statement, "env")],
  ["expose", parseExpose],
  ["healthcheck", parseHealthcheck],
  ["label", (statement) => parsePairsInstruction(statement, "label")],
  ["maintainer", (statement) => parseValue(statement, "maintainer")],
  ["onbuild", parseOnbuild],
  ["run", parseRun],
  ["shell", parseShell],
  ["stopsignal", (statement) => parseValue(statement, "stopsignal")],
  ["user", (statement) => parseValue(statement, "user")],
  ["volume", parseVolume],
  ["workdir", parseWorkdir],
]);

/**
 * Reads any instruction but FROM.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseInstruction(statement: Statement): Instruction {
  const parse = parsers.get(statement.keyword);
  if (parse !== undefined) return parse(statement);
  const [word = ""] = statement.text.split(/[\t\v\f\r ]/, 1);
  const near = nearest(word, ["from", ...parsers.keys()])?.toUpperCase();
  const hint =
    near === undefined
      ? "start the line with an instruction such as RUN or COPY, or end the line before it with the escape character"
      : `write ${near} if that is meant`;
  throw syntaxError(`could not read the instruction "${word}": there is none of that name`, { hint, word });
}
