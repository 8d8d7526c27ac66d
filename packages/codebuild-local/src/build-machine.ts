// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { join } from "node:path";
import type { BuildOptions } from "./build-options.ts";
import type { Buildspec } from "./buildspec.ts";
import { withoutEngines } from "./engine-free-path.ts";
import { type BuildFolders, type BuildIdentity, codeBuildVariables, type ResolvedVariables } from "./environment.ts";
import { writingOnlyTo } from "./read-only.ts";
import { checkRuntimes } from "./runtime-versions.ts";

/** What an environment is made of. */
export interface MachineParts {
  readonly options: Pick<BuildOptions, "project" | "machine">;
  readonly folders: BuildFolders;
  readonly identity: BuildIdentity;
  readonly resolved: ResolvedVariables;
}

/** The whole environment of a build: the machine's, CodeBuild's own and the build's. Without an engine nothing leads to one. */
export async function machineEnvironment(
  folder: string,
  { options, folders, identity, resolved }: MachineParts,
): Promise<Record<string, string>> {
  const { compute } = options.project;
  const hasEngine = compute.kind === "ec2";
  const path = options.machine["PATH"] ?? "";
  // Without a daemon the client is there and finds nobody.
  const engine: Record<string, string> =
    hasEngine && !compute.privileged ? { DOCKER_HOST: `unix://${join(folder, "no-docker.sock")}` } : {};
  const ofEngines = /^(?:DOCKER|BUILDX|CONTAINER)_/;
  const machine = Object.entries(options.machine).filter(([name]) => hasEngine || !ofEngines.test(name));
  return {
    ...Object.fromEntries(machine),
    PATH: hasEngine ? path : await withoutEngines(path, folder),
    ...engine,
    ...codeBuildVariables(identity, { folders, image: compute.image }),
    ...Object.fromEntries(resolved.values),
  };
}

/** The words before the shell that keep a build on Lambda compute from writing elsewhere. */
export async function restrictionOf(
  folder: string,
  { project, emit }: Pick<BuildOptions, "project" | "emit">,
): Promise<readonly string[]> {
  if (project.compute.kind !== "lambda") return [];
  const prefix = await writingOnlyTo(folder);
  if (prefix !== undefined) return prefix;
  emit({
    kind: "note",
    text: "not enforced here: on Lambda compute only the folder for temporary files can be written",
  });
  return [];
}

/** Says which runtimes of a buildspec this machine has, as the build will find them. */
export async function tellRuntimes(
  { phases }: Buildspec,
  { environment, emit }: { readonly environment: Record<string, string>; readonly emit: BuildOptions["emit"] },
): Promise<void> {
  const ask = ([program = "", ...args]: readonly string[]) =>
    new Promise<string | undefined>((resolve) => {
      execFile(program, args, { env: environment }, (error, stdout, stderr) =>
        resolve(error === null ? `${stdout}${stderr}` : undefined),
      );
    });
  for (const text of await checkRuntimes(phases.install?.runtimeVersions ?? {}, ask)) emit({ kind: "note", text });
}
