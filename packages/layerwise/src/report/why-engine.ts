// SPDX-License-Identifier: Apache-2.0
import { errorTable, isLayerwiseError, LayerwiseError } from "../error.ts";
import type { Plan } from "../plan/plan.ts";
import { plannedReasons } from "./planned-steps.ts";

/**
 * Completes the error of a build that finds no engine: with what needs one, and where. If it was only to help because
 * something else had failed, that is what the user has to repair, so its error comes first.
 */
export function whyEngine(error: unknown, plan: Plan): unknown {
  if (!isLayerwiseError(error) || errorTable[error.code].exit !== errorTable.ENGINE_MISSING.exit) return error;
  const failed = plan.reasons.find(({ cause }) => cause !== undefined);
  if (failed?.cause !== undefined) {
    const { code, message, hint, details } = failed.cause;
    const problems = [`and no engine can help: ${error.message}`];
    return new LayerwiseError(code, message, { hint, at: failed.at, details: { ...details, problems }, cause: error });
  }
  return withReasons(error, plan);
}

/** The error of a plan that needs an engine where none may be used; as above, what else has failed comes first. */
export function engineNeeded(plan: Plan): LayerwiseError {
  const failed = plan.reasons.find(({ cause }) => cause !== undefined);
  if (failed?.cause !== undefined) return failed.cause;
  const error = new LayerwiseError("ENGINE_NEEDED", "could not build without an engine: the plan needs one", {
    hint: "build where there is Docker, with --engine auto",
    details: { reasons: [...new Set(plan.reasons.map(({ name }) => name))] },
  });
  return withReasons(error, plan);
}

function withReasons(error: LayerwiseError, plan: Plan): LayerwiseError {
  const texts = plannedReasons(plan).map(({ text, line, name }) => {
    return `needs an engine: ${text}${line === undefined ? "" : ` (line ${line})`} [${name}]`;
  });
  const { code, message, hint, details } = error;
  const at = plan.reasons.find((reason) => reason.at !== undefined)?.at;
  return new LayerwiseError(code, message, { hint, at, details: { ...details, problems: texts }, cause: error });
}
