// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError, Option } from "commander";
import { LayerwiseError } from "../../error.ts";
import { type CommandOptions, type RawFlags, readOptions } from "../options.ts";
import { buildFlags, deliveryFlags, list } from "../program.ts";
import type { Surroundings } from "../run.ts";

/** A build as docker's command line asks for it. */
export interface BuildLine {
  readonly options: CommandOptions;
  /** Flags that were given and have nothing to do here. */
  readonly idle: readonly string[];
}

interface DockerFlags extends RawFlags {
  quiet?: boolean;
  cacheFrom?: string[];
  cacheTo?: string[];
}

/**
 * Reads the arguments of `docker build` and `docker buildx build`.
 *
 * @throws USAGE for what only a real docker can do
 */
export function readBuildLine(args: readonly string[], env: Surroundings["env"]): BuildLine {
  let read: BuildLine | undefined;
  const command = new Command("build")
    .argument("<context>")
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .action((context: string, flags: DockerFlags) => {
      read = lineOf(context, flags, env);
    });
  for (const option of [...buildFlags(), ...deliveryFlags(), ...dockerFlags()]) command.addOption(option);
  try {
    command.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const [why = ""] = error.message.replace(/^error: /, "").split("\n");
    throw new LayerwiseError("USAGE", `could not read the command line of docker build: ${why.replace(/\.$/, "")}`, {
      hint: "drop the flag, or build where there is a real docker, which is asked then",
    });
  }
  return read as BuildLine;
}

/** What docker has and `layerwise build` has not, as far as it changes nothing about the image. */
function dockerFlags(): readonly Option[] {
  return [
    list("--cache-from <spec>", "checkpoints take its place"),
    list("--cache-to <spec>", "checkpoints take its place"),
    new Option("-q, --quiet", "print the image ID alone"),
    new Option("--rm", "there are no containers to remove"),
    new Option("--force-rm", "there are no containers to remove"),
    new Option("--compress", "nothing is sent to a daemon"),
  ];
}

function lineOf(context: string, flags: DockerFlags, env: Surroundings["env"]): BuildLine {
  const { quiet, cacheFrom = [], cacheTo = [], ...own } = flags;
  const progress = quiet === true ? "quiet" : own.progress;
  const platform = own.platform ?? (env["DOCKER_DEFAULT_PLATFORM"] || undefined);
  const all: RawFlags = {
    ...own,
    ...(progress === undefined ? {} : { progress }),
    ...(platform === undefined ? {} : { platform }),
  };
  const idle = [...(cacheFrom.length > 0 ? ["--cache-from"] : []), ...(cacheTo.length > 0 ? ["--cache-to"] : [])];
  return { options: readOptions(context, { flags: all, env }), idle };
}
