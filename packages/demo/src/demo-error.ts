// SPDX-License-Identifier: Apache-2.0

/** Something that keeps the demonstration from going on; the message says what to do. */
export class DemoError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "DemoError";
  }
}
