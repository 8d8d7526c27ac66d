// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError, type SourceRange } from "../error.ts";

/** What a syntax error carries. */
export interface SyntaxErrorParts {
  readonly hint?: string | undefined;
  /** The word of the instruction that is wrong, to point at; kept in the details. */
  readonly word?: string | undefined;
  readonly at?: SourceRange | undefined;
}

/** An error about the text of a Dockerfile: DOCKERFILE_SYNTAX, as a rule still without its place. */
export function syntaxError(message: string, { hint, word, at }: SyntaxErrorParts = {}): LayerwiseError {
  return new LayerwiseError("DOCKERFILE_SYNTAX", message, { hint, at, details: word === undefined ? {} : { word } });
}

/** The same error, with the place where it occurred; a place that it already has stays. */
export function errorAt(error: LayerwiseError, at: SourceRange): LayerwiseError {
  if (error.at !== undefined) return error;
  const { code, message, hint, details } = error;
  return new LayerwiseError(code, message, { hint, at, details, cause: error.cause });
}
