// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import type { PhaseName } from "./buildspec.ts";
import type { OnFailure } from "./on-failure.ts";
import { phaseAfter } from "./phase-order.ts";

const phases: readonly PhaseName[] = ["install", "pre_build", "build", "post_build"];

it.each<[string, boolean, OnFailure["kind"], readonly string[]]>([
  ["success", false, "default", ["pre_build", "build", "post_build", "UPLOAD_ARTIFACTS"]],
  ["failure", true, "default", ["FINALIZING", "FINALIZING", "post_build", "UPLOAD_ARTIFACTS"]],
  ["failure and CONTINUE", true, "continue", ["pre_build", "build", "post_build", "UPLOAD_ARTIFACTS"]],
  ["failure and ABORT", true, "abort", ["FINALIZING", "FINALIZING", "FINALIZING", "FINALIZING"]],
])("goes on after %s", (_, failed, kind, next) => {
  expect(phases.map((phase) => phaseAfter(phase, { failed, onFailure: { kind } as OnFailure }))).toEqual(next);
});
