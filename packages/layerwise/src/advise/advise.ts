// SPDX-License-Identifier: Apache-2.0
import type { Advice, Observed } from "./advice.ts";
import { ignoreNoise } from "./ignore-noise.ts";
import { baseMoves, indexApartFromInstall, modeOfCheckout, ownerInLayer } from "./layer-rules.ts";
import { argumentBeforeRun, copyBeforeInstall, workdirAfterCopy } from "./order-rules.ts";

const rules: readonly ((observed: Observed) => readonly Advice[])[] = [
  ignoreNoise,
  modeOfCheckout,
  copyBeforeInstall,
  argumentBeforeRun,
  baseMoves,
  indexApartFromInstall,
  ownerInLayer,
  workdirAfterCopy,
];

/** What would have avoided steps that were made: only what was observed, the most expensive first. Pure. */
export function advise(observed: Observed): readonly Advice[] {
  const found = rules.flatMap((rule) => rule(observed));
  return found.sort((one, other) => other.cost.seconds - one.cost.seconds || other.cost.steps - one.cost.steps);
}
