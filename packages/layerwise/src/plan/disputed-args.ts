// SPDX-License-Identifier: Apache-2.0
import type { SourceRange } from "../error.ts";
import { refuseWhole } from "./refusal.ts";

const disputed = /\b(?:TARGETSTAGE|TARGETOSVERSION|BUILDOSVERSION)\b/;

/**
 * Leaves a Dockerfile to the engine, as it is, that uses an argument which newer front ends give a value by themselves
 * and older ones do not know, or whose value is the target that the engine is asked for (dockerfile2llb, `defaultArgs`).
 */
export function refuseDisputedArg(word: string | undefined, at: SourceRange): void {
  const name = disputed.exec(word ?? "")?.[0];
  if (name !== undefined) refuseWhole({ name: "instruction-form", detail: `ARG ${name}`, at });
}
