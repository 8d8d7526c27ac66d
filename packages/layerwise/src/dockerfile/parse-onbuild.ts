// SPDX-License-Identifier: Apache-2.0
import { readFlags } from "./flags.ts";
import type { OnbuildInstruction } from "./instruction.ts";
import { readJsonArray } from "./json-array.ts";
import type { Escape } from "./lines.ts";
import { baseOf, type Statement, splitStatement } from "./statement.ts";
import { syntaxError } from "./syntax-error.ts";
import { parsePairs } from "./words.ts";

/**
 * Reads ONBUILD. The instruction to come is checked only as far as BuildKit checks it when the base is built; it may
 * even be unknown.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseOnbuild(statement: Statement): OnbuildInstruction {
  if (statement.rest === "") {
    throw syntaxError("could not read ONBUILD: an instruction is needed", { hint: "write ONBUILD RUN command" });
  }
  checkInner(statement.rest, statement.escape);
  const { keyword } = splitStatement(statement.rest, statement.escape);
  if (["onbuild", "maintainer", "from"].includes(keyword)) {
    throw syntaxError(`could not read ONBUILD: ${keyword.toUpperCase()} cannot follow it`, {
      hint: "write another instruction behind ONBUILD",
      word: statement.rest,
    });
  }
  const flags = readFlags(statement.flags, {});
  const trigger = statement.line.replace(/^[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*/i, "");
  const contents = statement.heredocs.map(({ content, name }) => `\n${content}${name}`);
  return {
    kind: "onbuild",
    ...baseOf(statement, { unknownFlags: flags.unknown }),
    trigger: trigger + contents.join(""),
  };
}

const exec: ReadonlySet<string> = new Set(["add", "cmd", "copy", "entrypoint", "run", "shell", "volume"]);

/** What the reading of lines notices, before instructions are understood. */
function checkInner(text: string, mark: Escape): void {
  const { keyword, rest } = splitStatement(text, mark);
  if (keyword === "env" || keyword === "label") {
    parsePairs(rest, { keyword: keyword.toUpperCase(), mark });
  } else if (exec.has(keyword)) {
    readJsonArray(rest);
  } else if (keyword === "healthcheck") {
    readJsonArray(rest.replace(/^[^\t-\r ]*/, ""));
  }
}
