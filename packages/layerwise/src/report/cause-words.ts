// SPDX-License-Identifier: Apache-2.0
import type { CauseName } from "../analyze/cause.ts";

/** Why a step would be made, in a few words. */
export const causeWords: Readonly<Record<CauseName, string>> = {
  first: "first build",
  "instruction-added": "new instruction",
  base: "other base",
  files: "files changed",
  instruction: "other text",
  "here-document": "other here-document",
  argument: "other build argument",
  environment: "other environment",
  source: "what it reads from another stage changed",
  image: "the image that it reads from changed",
  input: "something else that its key holds",
  parent: "comes after a step that was made",
  between: "no checkpoint is taken behind it",
  absent: "its checkpoint is gone",
  "unknown-inputs": "its inputs are not known beforehand",
};
