// SPDX-License-Identifier: Apache-2.0
import { readFlags } from "./flags.ts";
import type { Stage } from "./instruction.ts";
import { splitBlanks } from "./space.ts";
import { baseOf, type Statement } from "./statement.ts";
import { syntaxError } from "./syntax-error.ts";

/** A stage without its instructions. */
export type StageHead = Omit<Stage, "index" | "instructions">;

/**
 * Reads FROM.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseFrom(statement: Statement): StageHead {
  const flags = readFlags(statement.flags, { platform: "text" });
  const [base = "", as, name, ...others] = splitBlanks(statement.rest);
  const hasName = as?.toLowerCase() === "as" && name !== undefined && others.length === 0;
  if (base === "" || (as !== undefined && !hasName)) {
    throw syntaxError("could not read FROM: an image or a stage is needed, and AS with a name at most", {
      hint: "write FROM image, or FROM image AS name",
      word: statement.rest,
    });
  }
  return {
    name: name === undefined ? undefined : stageName(name),
    base,
    platform: flags.text("platform"),
    from: baseOf(statement, { unknownFlags: flags.unknown }),
  };
}

function stageName(name: string): string {
  const lower = name.toLowerCase();
  if (/^[a-z][a-z0-9_.-]*$/.test(lower)) return lower;
  throw syntaxError(`could not read FROM: ${name} cannot name a stage`, {
    hint: "start the name with a letter, and use letters, digits, dots, hyphens and underscores only",
    word: name,
  });
}
