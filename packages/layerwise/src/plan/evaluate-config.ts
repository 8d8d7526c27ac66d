// SPDX-License-Identifier: Apache-2.0
import { expandWord, expandWords } from "../dockerfile/expand.ts";
import type {
  ArgInstruction,
  CommandInstruction,
  HealthcheckInstruction,
  Instruction,
  ListInstruction,
  PairsInstruction,
} from "../dockerfile/instruction.ts";
import type { Healthcheck, RuntimeConfig } from "../spec/image-config.ts";
import { refuseDisputedArg } from "./disputed-args.ts";
import { portsOf } from "./exposed-ports.ts";
import { quotedList } from "./history-text.ts";
import { refuseWhole } from "./refusal.ts";
import { isSignal } from "./signal-name.ts";
import { type StageState, withVariables } from "./stage-state.ts";

/** Everything that instructions are evaluated with besides the state. */
export interface Scope {
  readonly escape: "\\" | "`";
  /** What `# syntax=` or BUILDKIT_SYNTAX asks for; undefined if the engine's own front end reads the Dockerfile. */
  readonly frontEnd: string | undefined;
  /** `--build-arg`, and the values of ARGs before the first FROM. */
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly globalArgs: ReadonlyMap<string, string>;
}

/** What a config instruction does: the state after it, and its line in the history. */
export interface ConfigEffect {
  readonly state: StageState;
  /** Undefined for ONBUILD, which leaves none. */
  readonly createdBy: string | undefined;
}

/** An instruction that changes only the config. */
export type ConfigInstruction = Exclude<Instruction, { kind: "run" | "copy" | "add" | "workdir" }>;

/** Build arguments that tools of BuildKit read and that no RUN sees (dockerfile2llb, `nonEnvArgs`). */
const hiddenArgs: ReadonlySet<string> = new Set(["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]);

/**
 * Applies an instruction that makes no layer, as BuildKit's dispatch functions do
 * (frontend/dockerfile/dockerfile2llb/convert.go). Throws a refusal for forms whose result differs between front ends.
 */
export function applyConfig(state: StageState, instruction: ConfigInstruction, scope: Scope): ConfigEffect {
  const expand = (word: string) => expandWord(word, state.environment, { escape: scope.escape });
  const change = (config: Partial<RuntimeConfig>, createdBy: string): ConfigEffect => ({
    state: { ...state, config: { ...state.config, ...config } },
    createdBy,
  });
  switch (instruction.kind) {
    case "env":
      return applyEnv(state, instruction, expand);
    case "arg":
      return applyArg(state, instruction, scope);
    case "label": {
      const pairs = instruction.pairs.map(({ name, value }) => [expand(name), expand(value)] as const);
      const labels = { ...state.config.Labels, ...Object.fromEntries(pairs) };
      return change({ Labels: labels }, `LABEL ${pairs.map(([name, value]) => `${name}=${value}`).join(" ")}`);
    }
    case "user": {
      const user = expand(instruction.value);
      return change({ User: user }, `USER ${user}`);
    }
    case "stopsignal": {
      const signal = expand(instruction.value);
      if (!isSignal(signal))
        refuseWhole({ name: "instruction-form", detail: `STOPSIGNAL ${signal}`, at: instruction.at });
      return change({ StopSignal: signal }, `STOPSIGNAL ${signal}`);
    }
    case "maintainer":
      return { state: { ...state, author: instruction.value }, createdBy: `MAINTAINER ${instruction.value}` };
    case "shell":
      return change({ Shell: instruction.arguments }, `SHELL [${instruction.arguments.join(" ")}]`);
    case "cmd":
      return applyCommand(state, instruction);
    case "entrypoint":
      return applyEntrypoint(state, instruction);
    case "healthcheck":
      return change({ Healthcheck: healthcheckOf(instruction) }, `HEALTHCHECK ${quotedList(instruction.test)}`);
    case "expose":
      return applyExpose(state, instruction, scope);
    case "volume": {
      const volumes = instruction.values.map(expand);
      if (volumes.includes(""))
        refuseWhole({ name: "instruction-form", detail: "VOLUME without a path", at: instruction.at });
      const added = Object.fromEntries(volumes.map((volume) => [volume, {}]));
      return change({ Volumes: { ...state.config.Volumes, ...added } }, `VOLUME [${volumes.join(" ")}]`);
    }
    case "onbuild": {
      const triggers = [...(state.config.OnBuild ?? []), instruction.trigger];
      return { state: { ...state, config: { ...state.config, OnBuild: triggers } }, createdBy: undefined };
    }
  }
}

/** All pairs of one ENV are expanded with what held before it. */
function applyEnv(state: StageState, { pairs }: PairsInstruction, expand: (word: string) => string): ConfigEffect {
  const expanded = pairs.map(({ name, value }) => [expand(name), expand(value)] as const);
  const environment = withVariables(state.environment, expanded);
  const env = expanded.reduce((list, [name, value]) => withVariable(list, name, value), state.config.Env ?? []);
  const texts = expanded.map(([name, value]) => `${name}=${value}`);
  return {
    state: { ...state, environment, config: { ...state.config, Env: env } },
    createdBy: `ENV ${texts.join(" ")}`,
  };
}

/** In the config a variable keeps its place when its value changes. */
function withVariable(env: readonly string[], name: string, value: string): readonly string[] {
  const index = env.findIndex((variable) => variable === name || variable.startsWith(`${name}=`));
  const text = `${name}=${value}`;
  return index === -1 ? [...env, text] : env.with(index, text);
}

/**
 * A build argument wins over the default, the default over a global ARG of the same name. Front ends differ in whether
 * a default sees the arguments before it in the same instruction, so that form is left to them.
 */
function applyArg(state: StageState, { declarations, at }: ArgInstruction, scope: Scope): ConfigEffect {
  const variables: [string, string][] = [];
  const args = [...state.args];
  const texts: string[] = [];
  declarations.forEach((declaration, index) => {
    if (index > 0 && declaration.value?.includes("$")) {
      refuseWhole({ name: "instruction-form", detail: "ARG with several defaults that use variables", at });
    }
    const expand = (word: string) => expandWord(word, state.environment, { escape: scope.escape });
    const name = expand(declaration.name);
    refuseDisputedArg(name, at);
    const fallback = declaration.value === undefined ? scope.globalArgs.get(name) : expand(declaration.value);
    const value = scope.buildArgs.get(name) ?? fallback;
    if (value !== undefined && !hiddenArgs.has(name)) variables.push([name, value]);
    args.push({ name, value });
    texts.push(declaration.value === undefined ? name : `${name}=${fallback}`);
  });
  const environment = withVariables(state.environment, variables);
  return { state: { ...state, environment, args }, createdBy: `ARG ${texts.join(" ")}` };
}

function applyCommand(state: StageState, { command }: CommandInstruction): ConfigEffect {
  const argv = argvOf(state, command);
  return {
    state: { ...state, hasOwnCommand: true, config: { ...state.config, Cmd: argv, ArgsEscaped: true } },
    createdBy: `CMD ${quotedList(argv)}`,
  };
}

/** ENTRYPOINT drops a CMD that the stage inherited, and only that. */
function applyEntrypoint(state: StageState, { command }: CommandInstruction): ConfigEffect {
  const argv = argvOf(state, command);
  const Cmd = state.hasOwnCommand ? state.config.Cmd : undefined;
  return {
    state: { ...state, config: { ...state.config, Entrypoint: argv, Cmd } },
    createdBy: `ENTRYPOINT ${quotedList(argv)}`,
  };
}

/** A command as it is executed: the shell form goes through the shell of the config. */
export function argvOf(state: StageState, command: CommandInstruction["command"]): readonly string[] {
  if (command.form === "exec") return command.arguments;
  return [...shellOf(state), command.arguments.join(" ")];
}

/** The shell that shell forms are executed with. */
export function shellOf(state: StageState): readonly string[] {
  const { Shell } = state.config;
  return Shell === undefined || Shell.length === 0 ? ["/bin/sh", "-c"] : Shell;
}

function healthcheckOf({
  test,
  interval,
  timeout,
  startPeriod,
  startInterval,
  retries,
}: HealthcheckInstruction): Healthcheck {
  return {
    Test: test,
    Interval: interval,
    Timeout: timeout,
    StartPeriod: startPeriod,
    StartInterval: startInterval,
    Retries: retries,
  };
}

function applyExpose(state: StageState, { values, at }: ListInstruction, scope: Scope): ConfigEffect {
  const words = values.flatMap((value) => expandWords(value, state.environment, { escape: scope.escape }));
  const ports = portsOf(words);
  if (ports === undefined) refuseWhole({ name: "instruction-form", detail: `EXPOSE ${words.join(" ")}`, at });
  const added = Object.fromEntries(ports.map((port) => [port, {}]));
  return {
    state: { ...state, config: { ...state.config, ExposedPorts: { ...state.config.ExposedPorts, ...added } } },
    createdBy: `EXPOSE map[${[...ports]
      .sort()
      .map((port) => `${port}:{}`)
      .join(" ")}]`,
  };
}
