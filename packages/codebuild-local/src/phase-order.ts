// SPDX-License-Identifier: Apache-2.0
import type { PhaseName } from "./buildspec.ts";
import type { OnFailure } from "./on-failure.ts";

/** What comes after a phase: another one, the artifacts, or the end. */
export type NextPhase = PhaseName | "UPLOAD_ARTIFACTS" | "FINALIZING";

const following: Readonly<Record<PhaseName, NextPhase>> = {
  install: "pre_build",
  pre_build: "build",
  build: "post_build",
  post_build: "UPLOAD_ARTIFACTS",
};

/**
 * What comes after a phase.
 *
 * A failure in install or pre_build ends the build; post_build comes after build in any case, and artifacts after
 * post_build. ABORT ends the build, CONTINUE goes on; what is left after all retries goes the default way.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
 */
export function phaseAfter(
  phase: PhaseName,
  { failed, onFailure }: { readonly failed: boolean; readonly onFailure: OnFailure },
): NextPhase {
  if (!failed || onFailure.kind === "continue") return following[phase];
  if (onFailure.kind === "abort") return "FINALIZING";
  return phase === "install" || phase === "pre_build" ? "FINALIZING" : following[phase];
}
