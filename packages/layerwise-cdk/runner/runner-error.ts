// SPDX-License-Identifier: Apache-2.0

/** An error that its reader can do something about. */
export class RunnerError extends Error {
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(
    message: string,
    { hint, exitCode = 1, cause }: { hint?: string | undefined; exitCode?: number; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** What AWS said, with the name of its error. */
export function awsText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
