// SPDX-License-Identifier: Apache-2.0
import { readFlags } from "./flags.ts";
import type { ArgInstruction, PairsInstruction, ValueInstruction, WorkdirInstruction } from "./instruction.ts";
import { baseOf, type Statement } from "./statement.ts";
import { syntaxError } from "./syntax-error.ts";
import { parsePairs, splitWords } from "./words.ts";

/**
 * Reads ENV and LABEL.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parsePairsInstruction(statement: Statement, kind: PairsInstruction["kind"]): PairsInstruction {
  const keyword = kind.toUpperCase();
  const pairs = parsePairs(statement.rest, { keyword, mark: statement.escape });
  if (pairs.length === 0) {
    throw syntaxError(`could not read ${keyword}: a name and a value are needed`, {
      hint: `write ${keyword} name=value`,
    });
  }
  const nameless = pairs.find(({ name }) => name === "");
  if (nameless !== undefined) throw noName(keyword, `=${nameless.value}`);
  const flags = readFlags(statement.flags, {});
  return { kind, ...baseOf(statement, { unknownFlags: flags.unknown }), pairs };
}

/**
 * Reads ARG.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseArg(statement: Statement): ArgInstruction {
  const words = splitWords(statement.rest, statement.escape);
  if (words.length === 0) {
    throw syntaxError("could not read ARG: a name is needed", { hint: "write ARG name, or ARG name=default" });
  }
  const declarations = words.map((word) => {
    const equals = word.indexOf("=");
    if (equals === 0) throw noName("ARG", word);
    return equals === -1
      ? { name: word, value: undefined }
      : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  const flags = readFlags(statement.flags, {});
  return { kind: "arg", ...baseOf(statement, { unknownFlags: flags.unknown }), declarations };
}

/**
 * Reads USER, STOPSIGNAL and MAINTAINER.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseValue(statement: Statement, kind: ValueInstruction["kind"]): ValueInstruction {
  return { kind, ...soleArgument(statement) };
}

/**
 * Reads WORKDIR.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseWorkdir(statement: Statement): WorkdirInstruction {
  const { value: path, ...base } = soleArgument(statement);
  return { kind: "workdir", ...base, path };
}

function noName(keyword: string, word: string): Error {
  return syntaxError(`could not read ${keyword}: "${word}" has no name`, { hint: `write ${keyword} name=value`, word });
}

/** All that follows the flags, blanks included. */
function soleArgument(statement: Statement): Omit<ValueInstruction, "kind"> {
  if (statement.rest === "") {
    const keyword = statement.keyword.toUpperCase();
    throw syntaxError(`could not read ${keyword}: a value is needed`, { hint: `write ${keyword} value` });
  }
  const flags = readFlags(statement.flags, {});
  return { ...baseOf(statement, { unknownFlags: flags.unknown }), value: statement.rest };
}
