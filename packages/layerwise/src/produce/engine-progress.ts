// SPDX-License-Identifier: Apache-2.0
import { hasCode, LayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import type { Step } from "../plan/step.ts";
import type { Residual } from "./residual.ts";

/** Follows an engine's progress. */
export interface EngineProgress {
  readonly emit: Emit;
  /** An engine's error with the place in the Dockerfile of the step that failed. */
  located(error: unknown): unknown;
}

/** Translates the steps that an engine prints into instructions of the Dockerfile as the user wrote it. */
export function followEngine(residual: Residual, emit: Emit): EngineProgress {
  let failed: Step | undefined;
  return {
    emit(event) {
      emit(event);
      if (event.kind !== "engine-step") return;
      const found = stepNamed(residual, event.name);
      if (found === undefined) return;
      const { step, position } = found;
      if (event.state === "failed") failed = step;
      const { state, duration } = event;
      emit({ kind: "step", stage: step.stage, step: position, text: step.text, state, duration });
    },
    located(error) {
      if (!hasCode(error, "BUILD_FAILED") || failed === undefined) return error;
      const { message, details, hint, cause } = error as LayerwiseError;
      return new LayerwiseError("BUILD_FAILED", message, { hint, details, at: failed.at, cause });
    },
  };
}

/** `[builder 2/4] RUN make`: the second step of the stage, where the base may count as the first. */
function stepNamed(
  { names, executed }: Pick<Residual, "names" | "executed">,
  name: string,
): { step: Step; position: number } | undefined {
  const match = /^\[(?:.*?([^\s]+) +)?(\d+)\/(\d+)\] /.exec(name);
  if (match === null) return undefined;
  const label = match[1];
  for (const [index, stage] of executed) {
    const isNamed = label === names.get(index) || label === `stage-${index}`;
    const isOnly = (label === undefined || label.includes("/")) && executed.size === 1;
    if (!isNamed && !isOnly) continue;
    const offset = Number(match[2]) - 1 - (stage.countsBase ? 1 : 0);
    const step = stage.steps[offset];
    return step === undefined ? undefined : { step, position: stage.first + offset };
  }
  return undefined;
}
