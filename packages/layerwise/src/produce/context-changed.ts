// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";

/** A file of the build context is no longer what the plan was made with. */
export function contextChanged(path: string, cause?: unknown): LayerwiseError {
  return new LayerwiseError("CONTEXT_CHANGED", `could not make a layer with ${path}: it changed during the build`, {
    hint: "build again when nothing writes into the build context, or name the file in the ignore file",
    cause,
  });
}
