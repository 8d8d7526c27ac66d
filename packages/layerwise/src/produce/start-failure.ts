// SPDX-License-Identifier: Apache-2.0
import { isLayerwiseError } from "../error.ts";

/**
 * Why an engine could not start from a checkpoint; undefined if its build failed for another reason.
 *
 * Older engines read a checkpoint's layers in the step FROM, newer ones when a step needs them, and then say that this
 * step failed. A command that fails by itself has an exit code.
 */
export function startFailure(error: unknown): string | undefined {
  if (!isLayerwiseError(error) || error.code !== "BUILD_FAILED") return undefined;
  const step = String(error.details["step"] ?? "");
  const isStart = /^\[[^\]]*\] (?:FROM|load metadata for) /.test(step);
  const isCommand = /^\[[^\]]*\] RUN /.test(step) && /\bexit code: \d/.test(error.message);
  const isUnread =
    !isCommand && /\bfailed commit on ref "layer-|\bfailed to copy: |\bunexpected EOF\b/.test(error.message);
  return isStart || isUnread ? error.message : undefined;
}
