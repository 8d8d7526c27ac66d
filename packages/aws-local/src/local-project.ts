// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import {
  type BuildEvent,
  type PhaseResult,
  type Project,
  renderEvent,
  runBuild,
  type ValueSource,
} from "codebuild-local";
import { unzipSync } from "fflate";
import type { BuildOutcome, BuildPhase, BuildProgress, BuildProject, BuildRequest } from "./code-build.ts";
import { AwsLocalError } from "./error.ts";
import type { Buckets } from "./s3/object-store.ts";

/** How a project's builds run on this machine. */
export interface LocalProjectOptions {
  readonly project: Project;
  /** Where sources in S3 are. */
  readonly buckets: Buckets;
  /** The folder of the source, unless a build names another one; without it, a build must. */
  readonly source?: string | undefined;
  /** What the machine that builds has in its environment: PATH, the credentials of its role. */
  readonly machine: Readonly<Record<string, string>>;
  readonly values: ValueSource;
  /** Where folders of builds are made; an engine may have to see them. */
  readonly scratch?: string | undefined;
}

/** A project of the stand-in whose builds are run by codebuild-local. */
export function localProject(options: LocalProjectOptions): BuildProject {
  return {
    name: options.project.name,
    run: async (request, progress) => {
      const folder = await mkdtemp(join(options.scratch ?? tmpdir(), "source-"));
      try {
        return await run(await sourceOf(request, { options, folder }), { request, progress, options });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

interface Run {
  readonly request: BuildRequest;
  readonly progress: BuildProgress;
  readonly options: LocalProjectOptions;
}

async function run(source: string, { request, progress, options }: Run): Promise<BuildOutcome> {
  const { project, machine, values, scratch } = options;
  const { timeoutInMinutesOverride: timeoutMinutes = project.timeoutMinutes, sourceVersion } = request;
  const { id, number, account, region, initiator } = request;
  const follow = followPhases(progress);
  const result = await runBuild({
    project: { ...project, timeoutMinutes },
    source,
    variables: request.environmentVariablesOverride,
    buildspecOverride: request.buildspecOverride,
    identity: { id, number, account, region, initiator, sourceVersion, resolvedSourceVersion: sourceVersion },
    machine,
    values,
    scratch,
    emit: (event) => {
      progress.log(renderEvent(event, new Date()));
      follow(event);
    },
    signal: progress.signal,
  });
  const exported = Object.entries(result.exportedVariables);
  return { status: result.status, exportedVariables: exported.map(([name, value]) => ({ name, value })) };
}

/** Keeps the list of phases that the API tells. */
function followPhases({ phases }: BuildProgress): (event: BuildEvent) => void {
  const ended: BuildPhase[] = [];
  return (event) => {
    if (event.kind === "phase-begins") phases([...ended, { phaseType: event.phase, startTime: Date.now() }]);
    if (event.kind !== "phase-ends") return;
    ended.push(phaseOf(event.phase));
    phases([...ended]);
  };
}

function phaseOf({ type, status, startTime, endTime, context }: PhaseResult): BuildPhase {
  return { phaseType: type, phaseStatus: status, startTime, endTime, contexts: context === undefined ? [] : [context] };
}

/** The folder of the source that a build asks for. */
async function sourceOf(
  { sourceTypeOverride, sourceLocationOverride }: BuildRequest,
  { options, folder }: { readonly options: LocalProjectOptions; readonly folder: string },
): Promise<string> {
  if (sourceTypeOverride === "S3" && sourceLocationOverride !== undefined) {
    const [bucket = "", ...key] = sourceLocationOverride.replace(/^arn:[^:]*:s3:::/, "").split("/");
    const object = options.buckets.get(bucket)?.objects.get(key.join("/"));
    if (object === undefined)
      throw new AwsLocalError(`could not download the source: there is no s3://${sourceLocationOverride}`);
    await unzip(object.bytes, folder);
    return folder;
  }
  if (sourceTypeOverride !== undefined && sourceTypeOverride !== "NO_SOURCE") {
    throw new AwsLocalError(
      `could not download the source: its type ${sourceTypeOverride} is not there in this stand-in`,
    );
  }
  return options.source ?? folder;
}

async function unzip(bytes: Uint8Array, folder: string): Promise<void> {
  for (const [name, content] of Object.entries(unzipSync(bytes))) {
    const path = resolve(folder, name);
    if (relative(folder, path).split(sep)[0] === "..")
      throw new AwsLocalError(`could not unpack the source: ${name} leads out of it`);
    if (name.endsWith("/")) await mkdir(path, { recursive: true });
    else {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      await chmod(path, 0o755);
    }
  }
}
