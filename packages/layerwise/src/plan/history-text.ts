// SPDX-License-Identifier: Apache-2.0
import type { StageState } from "./stage-state.ts";
import type { CopyStep } from "./step.ts";

/*
 * How BuildKit words an image's history (dockerfile2llb, `commitToHistory` and the dispatch functions). The wording
 * varies between its versions and is no part of what makes two images equal.
 */

/** What BuildKit puts into every history entry's comment. */
export const historyComment = "buildkit.dockerfile.v0";

/** A list as Go's `%q` prints it. */
export function quotedList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}

/** RUN with the arguments that were in scope. */
export function runText(state: StageState, argv: readonly string[]): string {
  const args = state.args.map(({ name, value }) => `${name}=${state.environment.get(name) ?? value ?? ""}`);
  const prefix = args.length === 0 ? [] : [`|${args.length}`, ...args];
  return `RUN ${[...prefix, ...argv].join(" ")} # buildkit`;
}

/** COPY or ADD, its words expanded. */
export function copyText(
  step: Pick<CopyStep, "kind" | "parents" | "chown" | "chmod" | "sources" | "heredocs">,
  destination: string,
): string {
  const parts = [step.kind.toUpperCase()];
  if (step.parents) parts.push("--parents");
  if (step.chown !== undefined) parts.push(`--chown=${step.chown}`);
  if (step.chmod !== undefined) parts.push(`--chmod=${step.chmod}`);
  parts.push(...step.sources, ...step.heredocs.map(({ name }) => `<<${name}`), destination);
  return `${parts.join(" ")} # buildkit`;
}
