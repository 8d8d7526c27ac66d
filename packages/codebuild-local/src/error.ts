// SPDX-License-Identifier: Apache-2.0

/** What went wrong: the user's flags, the buildspec, the template, a value from AWS, or this machine. */
export type ErrorCode = "USAGE" | "BUILDSPEC" | "TEMPLATE" | "VALUE" | "MACHINE";

/**
 * An error that a user can do something about. The message is a lower-case sentence without a full stop: could not
 * ⟨verb⟩ ⟨thing⟩: ⟨why⟩.
 */
export class CodeBuildLocalError extends Error {
  readonly code: ErrorCode;
  /** What to do next, starting with an imperative. */
  readonly hint: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    parts: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "CodeBuildLocalError";
    this.code = code;
    this.hint = parts.hint;
  }
}
