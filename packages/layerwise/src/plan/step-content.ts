// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../spec/digest.ts";
import type { SelectedSource } from "./copy-selection.ts";

/** What the build context says about a COPY or ADD. */
export interface StepContent {
  readonly sources: readonly SelectedSource[];
  /** Digests of the selected files' contents, by path in the context. */
  readonly digests: ReadonlyMap<string, Digest>;
  /** Selected files that ADD would unpack. */
  readonly archives: readonly string[];
  /** Selected files with extended attributes that a layer keeps, and which ones. */
  readonly capabilities: ReadonlyMap<string, string>;
}

/** Of a step that reads nothing in the build context. */
export const nothingSelected: StepContent = { sources: [], digests: new Map(), archives: [], capabilities: new Map() };
