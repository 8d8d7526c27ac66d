// SPDX-License-Identifier: Apache-2.0
import type { BuiltSteps } from "./backtest.ts";
import type { CommitOutcome } from "./replay.ts";

/** What a replay says that a build of a commit does. Pure. */
export function predictedSteps(outcome: CommitOutcome | undefined): BuiltSteps {
  if (outcome?.kind === "whole") return { route: "engine", steps: [] };
  if (outcome?.kind !== "planned") return { route: undefined, steps: [] };
  const steps = outcome.steps.map(({ written: { stage, line }, cause, key }) => {
    return { stage, line, state: cause === undefined ? ("reused" as const) : ("made" as const), key };
  });
  return { route: outcome.route, steps };
}
