// SPDX-License-Identifier: Apache-2.0

/** Something that the laboratory needs and could not have; the message is one sentence that says what to do. */
export class LabError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "LabError";
  }
}
