// SPDX-License-Identifier: Apache-2.0
import { shownInput } from "../plan/cache-key.ts";
import type { Chain } from "../plan/chain.ts";
import { contentIdentity } from "../plan/content-identity.ts";
import type { Plan } from "../plan/plan.ts";
import type { BuildRecord } from "../spec/build-record.ts";
import { formatPlatform } from "../spec/platform.ts";
import { plannedReasons, plannedSteps } from "./planned-steps.ts";
import type { Report } from "./report.ts";

/** A report as a JSON document with a final newline. */
export function renderReportJson(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/**
 * A plan as a JSON document: steps with their keys and the inputs these are made of, private values never.
 *
 * @param record what `layerwise explain` compares plans by
 */
export function renderPlanJson(
  plan: Plan,
  options: Parameters<typeof contentIdentity>[1],
  record: BuildRecord | undefined,
): string {
  const inputs = inputsByKey(plan);
  const document = {
    version: 1,
    dockerfile: plan.dockerfile.file,
    platform: formatPlatform(plan.platform),
    route: plan.route,
    reasons: plannedReasons(plan),
    contentTag: contentIdentity(plan, options)?.tag,
    steps: plannedSteps(plan).map(({ stageIndex, position, layer, ...step }) => ({
      ...step,
      inputs: step.key === undefined ? [] : (inputs.get(step.key) ?? []),
    })),
    record,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function inputsByKey({ work }: Plan): ReadonlyMap<string, readonly { name: string; value: string }[]> {
  const chains: readonly Chain[] =
    work.kind === "whole" ? [] : work.kind === "engine" ? [...work.chains.values()] : [work.chain];
  const inputs = new Map<string, readonly { name: string; value: string }[]>();
  for (const { steps } of chains) {
    for (const { key } of steps) {
      if (key !== undefined)
        inputs.set(
          key.digest,
          key.inputs.map((input) => shownInput(input, key.digest)),
        );
    }
  }
  return inputs;
}
