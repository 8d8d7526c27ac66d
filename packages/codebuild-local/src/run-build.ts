// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildEvent, BuildResult, PhaseResult } from "./build-event.ts";
import { type Buildspec, parseBuildspec } from "./buildspec.ts";
import { type Collected, collectArtifacts, collectReports } from "./collect-output.ts";
import { withoutEngines } from "./engine-free-path.ts";
import {
  type BuildFolders,
  type BuildIdentity,
  codeBuildVariables,
  type ResolvedVariables,
  resolveVariables,
  type ValueSource,
} from "./environment.ts";
import { CodeBuildLocalError } from "./error.ts";
import { lambdaTimeoutMinutes, type Project, type Variable } from "./project.ts";
import { writingOnlyTo } from "./read-only.ts";
import { runPhases } from "./run-phases.ts";
import { checkRuntimes } from "./runtime-versions.ts";
import { openShellSession } from "./shell-session.ts";

/** What to build. */
export interface BuildOptions {
  readonly project: Project;
  /** The folder of the primary source; it is copied. */
  readonly source: string;
  /** Folders of secondary sources, by identifier; they are copied. */
  readonly secondarySources?: Readonly<Record<string, string>> | undefined;
  /** Variables given at the start, which count more than all others. */
  readonly variables?: readonly Variable[] | undefined;
  /** Used instead of the project's buildspec. */
  readonly buildspecOverride?: string | undefined;
  readonly identity?: Partial<BuildIdentity> | undefined;
  /** What the machine that builds has in its environment: PATH, and whatever a role's credentials are. */
  readonly machine: Readonly<Record<string, string>>;
  readonly values: ValueSource;
  /** Where artifacts and reports are copied to; nowhere by default. */
  readonly output?: string | undefined;
  /** Where the folder of the build is made; the folder for temporary files by default. */
  readonly scratch?: string | undefined;
  /** Whether the folder of the build is left behind. */
  readonly keep?: boolean | undefined;
  readonly emit: (event: BuildEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

const defaults = { number: 1, account: "111122223333", region: "us-east-1", initiator: "codebuild-local" } as const;

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
  const buildspec = await readBuildspec(folders.source, options);
  for (const text of buildspec.ignored) emit({ kind: "note", text: `ignored ${text}` });
  const resolved = await resolveVariables(
    { buildspec, project: project.variables, start: options.variables ?? [] },
    options.values,
  );
  const environment = await environmentOf(folder, { options, folders, identity, resolved });
  const prefix = await restrict(folder, options);
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
  // As in the API, an override is the buildspec itself or the path of one.
  const override =
    buildspecOverride === undefined
      ? undefined
      : /\n|^\s*\{/.test(buildspecOverride)
        ? { text: buildspecOverride }
        : { path: buildspecOverride };
  const place = override ?? project.buildspec;
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

interface Environing {
  readonly options: BuildOptions;
  readonly folders: BuildFolders;
  readonly identity: BuildIdentity;
  readonly resolved: ResolvedVariables;
}

async function environmentOf(
  folder: string,
  { options, folders, identity, resolved }: Environing,
): Promise<Record<string, string>> {
  const { compute } = options.project;
  const hasEngine = compute.kind === "ec2";
  const path = options.machine["PATH"] ?? "";
  // Without a daemon the client is there and finds nobody.
  const engine: Record<string, string> =
    hasEngine && !compute.privileged ? { DOCKER_HOST: `unix://${join(folder, "no-docker.sock")}` } : {};
  const environment: Record<string, string> = {
    ...options.machine,
    PATH: hasEngine ? path : await withoutEngines(path, folder),
    ...engine,
    ...codeBuildVariables(identity, { folders, image: compute.image }),
    ...Object.fromEntries(resolved.values),
  };
  if (!hasEngine)
    for (const name of Object.keys(environment))
      if (/^(?:DOCKER|BUILDX|CONTAINER)_/.test(name)) delete environment[name];
  return environment;
}

/** The words before the shell that keep a build on Lambda compute from writing elsewhere. */
async function restrict(folder: string, { project, emit }: BuildOptions): Promise<readonly string[]> {
  if (project.compute.kind !== "lambda") return [];
  const prefix = await writingOnlyTo(folder);
  if (prefix !== undefined) return prefix;
  emit({
    kind: "note",
    text: "not enforced here: on Lambda compute only the folder for temporary files can be written",
  });
  return [];
}

function exportable({ exportedVariables }: Buildspec, { secretNames }: ResolvedVariables): readonly string[] {
  const isName = /^[A-Za-z_][A-Za-z0-9_]*$/;
  return exportedVariables.filter((name) => isName.test(name) && !name.startsWith("AWS_") && !secretNames.has(name));
}

async function tellRuntimes(
  { phases }: Buildspec,
  { environment, emit }: { readonly environment: Record<string, string>; readonly emit: BuildOptions["emit"] },
): Promise<void> {
  const { execFile } = await import("node:child_process");
  const ask = ([program = "", ...args]: readonly string[]) =>
    new Promise<string | undefined>((resolve) => {
      execFile(program, args, { env: environment }, (error, stdout, stderr) =>
        resolve(error === null ? `${stdout}${stderr}` : undefined),
      );
    });
  for (const text of await checkRuntimes(phases.install?.runtimeVersions ?? {}, ask)) emit({ kind: "note", text });
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
