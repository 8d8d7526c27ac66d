// SPDX-License-Identifier: Apache-2.0
import { splitVariable } from "../plan/stage-state.ts";
import type { Step } from "../plan/step.ts";

/** The variables that stand in an instruction and have a value there. Pure. */
export function writtenVariables({ source, before }: Step): readonly string[] {
  const names = [...source.matchAll(/[$%]\{?([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name]) => name as string);
  return [...new Set(names)].filter((name) => before.environment.has(name));
}

/** Which of the variables that a step sees are arguments: ENV wins over an ARG of the same name. Pure. */
export function argumentsOf({ before }: Step): readonly string[] {
  const set = new Set((before.config.Env ?? []).map((text) => splitVariable(text)[0]));
  return [...new Set(before.args.map(({ name }) => name))].filter((name) => !set.has(name));
}

/** Inputs of a key that say what an instruction says itself. */
export const textInputs: ReadonlySet<string> = new Set([
  "command",
  "sources",
  "destination",
  "chown",
  "chmod",
  "flags",
  "path",
  "network",
  "security",
]);

/** Inputs of a key that hold what variables in an instruction expand to. */
export function isExpanded(input: string): boolean {
  return textInputs.has(input) || input === "here-documents" || input === "mounts";
}
