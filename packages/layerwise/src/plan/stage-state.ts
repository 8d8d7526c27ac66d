// SPDX-License-Identifier: Apache-2.0
import type { ImageConfig, RuntimeConfig } from "../spec/image-config.ts";
import type { Platform } from "../spec/platform.ts";

/** An ARG that a stage has declared. */
export interface DeclaredArg {
  readonly name: string;
  /** Undefined if neither a default nor a build argument gives it a value. */
  readonly value: string | undefined;
}

/** What the instructions of a stage have added up to before or after one of them. */
export interface StageState {
  /** What words are expanded with and what RUN sees: ENV and ARG together, in the order in which RUN sees them. */
  readonly environment: ReadonlyMap<string, string>;
  /** The config of the image as it stands. */
  readonly config: RuntimeConfig;
  readonly author: string | undefined;
  readonly args: readonly DeclaredArg[];
  /** Whether this stage itself has set CMD; ENTRYPOINT then leaves it alone. */
  readonly hasOwnCommand: boolean;
}

/** Where an image starts from; `FROM scratch` has no fields but the platform's. */
export type BaseConfig = Pick<ImageConfig, "config" | "author">;

/** The search path that BuildKit gives to images without one (util/system, `DefaultPathEnvUnix`). */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The config of `FROM scratch` (dockerfile2llb, `emptyImage`). */
function scratchConfig(): BaseConfig {
  return { config: { WorkingDir: "/", Env: [`PATH=${defaultPath}`] }, author: undefined };
}

/** An image config for a platform that has no layers yet. */
export function emptyImageConfig(platform: Platform): ImageConfig {
  return { ...platform, ...scratchConfig(), diffIds: [], history: [] };
}

/** The state before the first instruction of a stage whose base is an image. */
export function stateFromBase({ config, author }: BaseConfig): StageState {
  const environment = new Map((config.Env ?? []).map(splitVariable));
  const hasPath = environment.has("PATH");
  const env = hasPath ? config.Env : [...(config.Env ?? []), `PATH=${defaultPath}`];
  if (!hasPath) environment.set("PATH", defaultPath);
  return {
    environment,
    config: { ...config, Env: env, OnBuild: undefined },
    author,
    args: [],
    hasOwnCommand: false,
  };
}

/**
 * The state before the first instruction of a stage whose base is another stage. What the config says is set again, so
 * that it wins over an ARG (dockerfile2llb, `toDispatchState`).
 */
export function stateFromStage(final: StageState): StageState {
  const { config } = final;
  const environment = withVariables(final.environment, (config.Env ?? []).map(splitVariable));
  return { ...final, environment, config: { ...config, OnBuild: undefined }, args: [], hasOwnCommand: false };
}

/** Sets variables one after the other; one that was set before moves to the end (BuildKit, client/llb, `AddEnv`). */
export function withVariables(
  environment: ReadonlyMap<string, string>,
  variables: Iterable<readonly [string, string]>,
): ReadonlyMap<string, string> {
  const changed = new Map(environment);
  for (const [name, value] of variables) {
    changed.delete(name);
    changed.set(name, value);
  }
  return changed;
}

/** Splits `NAME=VALUE`; a variable without `=` is empty. */
export function splitVariable(text: string): [string, string] {
  const equals = text.indexOf("=");
  return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** The directory that RUN, COPY and WORKDIR start from. */
export function workingDirectory(state: StageState): string {
  const { WorkingDir } = state.config;
  return WorkingDir === undefined || WorkingDir === "" ? "/" : WorkingDir;
}
