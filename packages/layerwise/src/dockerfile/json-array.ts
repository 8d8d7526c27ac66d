// SPDX-License-Identifier: Apache-2.0
import { trimSpaceStart } from "./space.ts";
import { syntaxError } from "./syntax-error.ts";

/** What an instruction's text is as a JSON array. */
export interface JsonReading {
  /** The strings; undefined if the text is no JSON array and so is for a shell, or words. */
  readonly strings: readonly string[] | undefined;
  /** Whether older front ends see an array: BuildKit 0.13 ignored what follows it, 0.25 does not. */
  readonly isDisputed: boolean;
}

/**
 * Reads the exec form of an instruction.
 * https://github.com/moby/buildkit/blob/v0.33.0/frontend/dockerfile/parser/line_parsers.go (parseJSON)
 *
 * @throws DOCKERFILE_SYNTAX without a place if the array holds anything but strings
 */
export function readJsonArray(text: string): JsonReading {
  const array = trimSpaceStart(text);
  if (!array.startsWith("[")) return { strings: undefined, isDisputed: false };
  const strings = parseStrings(array);
  if (strings !== undefined) return { strings, isDisputed: false };
  return { strings: undefined, isDisputed: isArray(array.slice(0, endOfFirstValue(array))) };
}

/** Deepest nesting that Go's decoder takes. */
const maxDepth = 10_000;

function parseStrings(text: string): readonly string[] | undefined {
  const array = parseArray(text);
  if (array === undefined) return undefined;
  return array.map((element) => {
    // Go has no half surrogate pairs.
    if (typeof element === "string") return element.replace(/\p{Surrogate}/gu, "\ufffd");
    throw syntaxError("could not read the JSON array: it may hold strings only", {
      hint: 'put every argument in double quotes, as in ["a", "1"]',
      word: text,
    });
  });
}

function isArray(text: string): boolean {
  return parseArray(text) !== undefined;
}

function parseArray(text: string): readonly unknown[] | undefined {
  let array: unknown;
  try {
    array = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(array) && isDecodable(array) ? array : undefined;
}

/** Whether Go can hold all values, at any depth. */
function isDecodable(array: readonly unknown[]): boolean {
  let level: readonly unknown[] = array;
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth || level.some((value) => typeof value === "number" && !Number.isFinite(value))) return false;
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
  return true;
}

/** Where the array that the text starts with ends, as far as brackets tell. */
function endOfFirstValue(text: string): number {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (isInString) {
      if (character === "\\") index += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return text.length;
}
