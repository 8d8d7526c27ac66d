// SPDX-License-Identifier: Apache-2.0
import type { ArchiveCompression } from "../spec/archive-head.ts";
import type { Digest } from "../spec/digest.ts";
import type { SelectedSource } from "./copy-selection.ts";

/** What a step selects from the build context, or from a directory that `--build-context` names. */
export interface StepContent {
  /** The name of the directory; undefined: the build context. */
  readonly context?: string | undefined;
  readonly sources: readonly SelectedSource[];
  /** Digests of the selected files' contents, by path in the context. */
  readonly digests: ReadonlyMap<string, Digest>;
  /** Selected files that ADD may unpack, and how they are compressed; paths in the context. */
  readonly archives: ReadonlyMap<string, ArchiveCompression>;
  /** Selected files with extended attributes that a layer keeps, and which ones. */
  readonly capabilities: ReadonlyMap<string, string>;
  /** What the mounts of a RUN select from other directories than the first. */
  readonly more?: readonly StepContent[] | undefined;
}

/** Of a step that reads nothing in the build context. */
export const nothingSelected: StepContent = {
  sources: [],
  digests: new Map(),
  archives: new Map(),
  capabilities: new Map(),
};
