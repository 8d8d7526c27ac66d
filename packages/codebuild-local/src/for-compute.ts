// SPDX-License-Identifier: Apache-2.0
import type { Buildspec, PhaseName, PhaseSpec } from "./buildspec.ts";
import type { Project } from "./project.ts";

/**
 * A buildspec as a machine takes it: builds on AWS Lambda have no `on-failure`.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/lambda-compute-images.html
 */
export function forCompute(buildspec: Buildspec, { compute }: Pick<Project, "compute">): Buildspec {
  const set = Object.entries(buildspec.phases).filter(([, { onFailure }]) => onFailure.kind !== "default");
  if (compute.kind !== "lambda" || set.length === 0) return buildspec;
  const phases: Partial<Record<PhaseName, PhaseSpec>> = { ...buildspec.phases };
  for (const [name, phase] of set) phases[name as PhaseName] = { ...phase, onFailure: { kind: "default" } };
  const ignored = set.map(([name]) => `on-failure of ${name}: builds on Lambda compute have none`);
  return { ...buildspec, phases, ignored: [...buildspec.ignored, ...ignored] };
}
