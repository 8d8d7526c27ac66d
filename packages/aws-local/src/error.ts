// SPDX-License-Identifier: Apache-2.0

/** An answer of AWS that is an error: its code, its words and its HTTP status. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.status = status;
  }
}

/** What could not be started or set up, and why. */
export class AwsLocalError extends Error {
  override readonly name: string = "AwsLocalError";
}
