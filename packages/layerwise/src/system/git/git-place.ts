// SPDX-License-Identifier: Apache-2.0

/** Where git runs. */
export interface GitPlace {
  /** A directory in the working tree, or the repository itself. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}
