// SPDX-License-Identifier: Apache-2.0
import { readFlags } from "./flags.ts";
import type { InstructionBase, ListInstruction } from "./instruction.ts";
import { readJsonArray } from "./json-array.ts";
import { splitBlanks, trimSpace } from "./space.ts";
import { baseOf, type Statement } from "./statement.ts";
import { syntaxError } from "./syntax-error.ts";

/** What a text that follows a JSON array is called in disputes. */
export const textBehindArray = "text behind a JSON array";

/** Words given as a JSON array or between blanks. */
export interface WordList extends Pick<InstructionBase, "disputes"> {
  readonly words: readonly string[];
}

/**
 * Reads words given as a JSON array or between blanks.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function readWordList(text: string): WordList {
  const { strings, isDisputed } = readJsonArray(text);
  const words = strings ?? (text === "" ? [] : splitBlanks(text));
  return { words, disputes: isDisputed ? [textBehindArray] : [] };
}

/**
 * Reads VOLUME.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseVolume(statement: Statement): ListInstruction {
  const { words, disputes } = readWordList(statement.rest);
  const values = words.map(trimSpace);
  if (values.length === 0 || values.includes("")) {
    throw syntaxError("could not read VOLUME: a path is needed", { hint: "write VOLUME /path" });
  }
  const flags = readFlags(statement.flags, {});
  return { kind: "volume", ...baseOf(statement, { unknownFlags: flags.unknown, disputes }), values };
}

/**
 * Reads EXPOSE.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseExpose(statement: Statement): ListInstruction {
  if (statement.rest === "") {
    throw syntaxError("could not read EXPOSE: a port is needed", {
      hint: "write EXPOSE port, for example 8080 or 53/udp",
    });
  }
  const values = splitBlanks(statement.rest);
  const flags = readFlags(statement.flags, {});
  const disputes = values.some(hasLostText) ? ["text before a variable with a default"] : [];
  return { kind: "expose", ...baseOf(statement, { unknownFlags: flags.unknown, disputes }), values };
}

/** Front ends lose the text before such a variable, or do not: see `expandWords`. */
function hasLostText(word: string): boolean {
  return /.\$\{\w*:?[-+?#%/]/s.test(word);
}
