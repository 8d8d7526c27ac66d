// SPDX-License-Identifier: Apache-2.0
import type { CauseName } from "../analyze/cause.ts";

/** Why a step would be made, in a few words. */
export const causeWords: Readonly<Record<CauseName, string>> = {
  first: "first build",
  new: "new instruction",
  base: "other base",
  files: "files changed",
  instruction: "other text",
  environment: "other environment",
  source: "what it reads from another stage changed",
  options: "other options",
  earlier: "comes after a step that was made",
  unsaved: "no checkpoint is taken behind it",
  unknown: "its inputs are not known beforehand",
};
