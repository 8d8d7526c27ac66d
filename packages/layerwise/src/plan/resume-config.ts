// SPDX-License-Identifier: Apache-2.0
import { orderedRuntime, type RuntimeConfig } from "../spec/image-config.ts";
import type { Chain, ChainStep } from "./chain.ts";
import type { Recalled } from "./recall.ts";
import { type StageState, splitVariable } from "./stage-state.ts";

/**
 * The part of a config that instructions behind it depend on. It is all that a checkpoint's config holds, so that
 * labels and commands do not make checkpoints differ, and nothing is triggered by starting from one.
 */
export function resumeConfig({ config }: Pick<StageState, "config">): RuntimeConfig {
  const { Env, User, WorkingDir, Shell } = config;
  return orderedRuntime({ Env, User, WorkingDir, Shell });
}

/** The state that a stage goes on from when some steps of its chain are behind it: at least those of stages below. */
export function stateAt(chain: Chain, position: number): StageState {
  return position > chain.inherited ? (chain.steps[position - 1] as ChainStep).step.after : chain.initial;
}

/** Whether an engine that starts from a checkpoint would begin in another state than the Dockerfile has there. */
export function needsOwnConfig(chain: Chain, { checkpoint, position }: Recalled): boolean {
  const there = checkpoint.config;
  if ((there.config.OnBuild ?? []).length > 0) return true;
  const wanted = resumeConfig(stateAt(chain, position));
  return JSON.stringify(resumeConfig(there)) !== JSON.stringify(wanted);
}

/** An argument that must be declared again where a stage goes on; no value if the command line gives it. */
export interface RedeclaredArg {
  readonly name: string;
  readonly value: string | undefined;
}

/**
 * The variables that are in scope but not in the config. Undefined if one of them has a value that no Dockerfile can
 * write down, so that the stage cannot be resumed there.
 */
export function redeclaredArgs(
  { environment, config }: Pick<StageState, "environment" | "config">,
  buildArgs: ReadonlyMap<string, string>,
): readonly RedeclaredArg[] | undefined {
  const env = new Map((config.Env ?? []).map(splitVariable));
  const args = [...environment]
    .filter(([name, value]) => env.get(name) !== value)
    .map(([name, value]): RedeclaredArg => ({ name, value: buildArgs.get(name) === value ? undefined : value }));
  return args.some(({ value }) => value !== undefined && /[\r\n\0]/.test(value)) ? undefined : args;
}
