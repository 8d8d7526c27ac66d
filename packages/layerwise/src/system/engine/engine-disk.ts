// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";

/**
 * The error of an engine that has no space left for what it makes; undefined if that is not the reason it gives.
 *
 * A command that fails by itself has an exit code, whatever words it fails with.
 *
 * @param what what could not be done
 * @param why what the engine said
 */
export function engineDiskError(what: string, why: string): LayerwiseError | undefined {
  const isFull = /\b(?:no space left on device|disk quota exceeded)\b/.test(why);
  if (!isFull || /\bexit code: \d/.test(why)) return undefined;
  return new LayerwiseError("DISK", `could not ${what}: the engine's disk is full: ${why}`, {
    hint: "free space where the engine keeps its data, for example with `docker system prune`, and run this again",
  });
}
