// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildResult, PhaseResult } from "./build-event.ts";
import { machineEnvironment, restrictionOf, tellRuntimes } from "./build-machine.ts";
import type { BuildOptions } from "./build-options.ts";
import { type Buildspec, parseBuildspec } from "./buildspec.ts";
import { type Collected, collectArtifacts, collectReports } from "./collect-output.ts";
import { type BuildFolders, type BuildIdentity, type ResolvedVariables, resolveVariables } from "./environment.ts";
import { CodeBuildLocalError } from "./error.ts";
import { forCompute } from "./for-compute.ts";
import { buildspecPlace, defaultAccount, lambdaTimeoutMinutes, type Project } from "./project.ts";
import { runPhases } from "./run-phases.ts";
import { openShellSession } from "./shell-session.ts";

const defaults = { number: 1, account: defaultAccount, region: "us-east-1", initiator: "codebuild-local" } as const;

/**
 * Runs a build to its end, in a folder of its own. A build that fails is no error.
 *
 * @throws {CodeBuildLocalError} if the build could not begin
 */
export async function runBuild(options: BuildOptions): Promise<BuildResult> {
  const folder = await mkdtemp(join(options.scratch ?? tmpdir(), "codebuild-"));
  try {
    return await buildIn(folder, options);
  } finally {
    if (options.keep === true) options.emit({ kind: "note", text: `the folder of the build is ${folder}` });
    else await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function buildIn(folder: string, options: BuildOptions): Promise<BuildResult> {
  const { project, emit } = options;
  const identity: BuildIdentity = {
    id: `${project.name}:${randomUUID()}`,
    sourceVersion: undefined,
    resolvedSourceVersion: undefined,
    sourceRepoUrl: undefined,
    startTime: Date.now(),
    ...defaults,
    ...options.identity,
  };
  const folders = await makeFolders(folder, options);
  const buildspec = forCompute(await readBuildspec(folders.source, options), project);
  for (const text of buildspec.ignored) emit({ kind: "note", text: `ignored ${text}` });
  const resolved = await resolveVariables(
    { buildspec, project: project.variables, start: options.variables ?? [] },
    options.values,
  );
  const environment = await machineEnvironment(folder, { options, folders, identity, resolved });
  const prefix = await restrictionOf(folder, options);
  const downloaded = Date.now();
  emit({ kind: "phase-ends", phase: succeeded("DOWNLOAD_SOURCE", identity.startTime, downloaded) });
  await tellRuntimes(buildspec, { environment, emit });
  const state = join(folder, "state");
  await mkdir(state);
  const ran = await runPhases(buildspec, {
    openShell: (output) =>
      openShellSession({ shell: buildspec.shell, prefix, cwd: folders.source, environment, state, output }),
    secrets: resolved.secrets,
    exported: exportable(buildspec, resolved),
    timeout: timeoutOf(project) * 60_000,
    emit,
    signal: options.signal,
  });
  const collected = ran.uploads ? await upload(folders.source, { buildspec, options, project }) : undefined;
  const phases = [
    succeeded("DOWNLOAD_SOURCE", identity.startTime, downloaded),
    ...ran.phases,
    ...(collected?.phases ?? []),
  ];
  const failed = phases.find(({ status }) => status !== "SUCCEEDED");
  return {
    id: identity.id,
    status: ran.ended ?? (failed === undefined ? "SUCCEEDED" : "FAILED"),
    phases,
    exportedVariables: ran.exportedVariables,
    artifacts: collected?.artifacts ?? {},
    reports: collected?.reports ?? [],
  };
}

function timeoutOf({ compute, timeoutMinutes }: Project): number {
  return compute.kind === "lambda" ? Math.min(timeoutMinutes, lambdaTimeoutMinutes) : timeoutMinutes;
}

async function makeFolders(folder: string, { source, secondarySources = {} }: BuildOptions): Promise<BuildFolders> {
  const copy = async (from: string, to: string) => {
    try {
      await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    } catch (cause) {
      throw new CodeBuildLocalError("MACHINE", `could not copy the source ${from}: ${(cause as Error).message}`, {
        cause,
      });
    }
    return to;
  };
  const secondary: Record<string, string> = {};
  for (const [id, from] of Object.entries(secondarySources))
    secondary[id] = await copy(from, join(folder, `src-${id}`, "src"));
  const [home, temporary] = [join(folder, "home"), join(folder, "tmp")];
  for (const made of [home, temporary]) await mkdir(made);
  return { source: await copy(source, join(folder, "src")), secondary, home, temporary };
}

async function readBuildspec(source: string, { project, buildspecOverride }: BuildOptions): Promise<Buildspec> {
  const place = buildspecOverride === undefined ? project.buildspec : buildspecPlace(buildspecOverride);
  if ("text" in place) return parseBuildspec(place.text);
  try {
    return parseBuildspec(await readFile(join(source, place.path), "utf8"));
  } catch (cause) {
    if (cause instanceof CodeBuildLocalError) throw cause;
    throw new CodeBuildLocalError("BUILDSPEC", `could not read the buildspec ${place.path} in the source`, {
      hint: "name one with --buildspec, or put buildspec.yml into the root of the source",
      cause,
    });
  }
}

function exportable({ exportedVariables }: Buildspec, { secretNames }: ResolvedVariables): readonly string[] {
  const isName = /^[A-Za-z_][A-Za-z0-9_]*$/;
  return exportedVariables.filter((name) => isName.test(name) && !name.startsWith("AWS_") && !secretNames.has(name));
}

interface Uploading {
  readonly buildspec: Buildspec;
  readonly options: BuildOptions;
  readonly project: Project;
}

async function upload(
  source: string,
  { buildspec, options, project }: Uploading,
): Promise<Collected & { readonly phases: readonly PhaseResult[] }> {
  const startTime = Date.now();
  const { output, emit } = options;
  emit({ kind: "phase-begins", phase: "UPLOAD_ARTIFACTS" });
  let context: PhaseResult["context"];
  let collected: Collected = { artifacts: {}, reports: [] };
  try {
    const reports = await collectReports(source, { buildspec, output });
    collected = { artifacts: {}, reports };
    collected = {
      artifacts: await collectArtifacts(source, { buildspec, output, expected: project.secondaryArtifacts }),
      reports,
    };
  } catch (error) {
    if (!(error instanceof CodeBuildLocalError)) throw error;
    context = { statusCode: "CLIENT_ERROR", message: error.message };
  }
  const status = context === undefined ? ("SUCCEEDED" as const) : ("FAILED" as const);
  const phase: PhaseResult = { type: "UPLOAD_ARTIFACTS", status, startTime, endTime: Date.now(), context };
  emit({ kind: "phase-ends", phase });
  return { ...collected, phases: [phase] };
}

function succeeded(type: string, startTime: number, endTime: number): PhaseResult {
  return { type, status: "SUCCEEDED", startTime, endTime, context: undefined };
}
