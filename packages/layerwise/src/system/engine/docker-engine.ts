// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LayerwiseError } from "../../error.ts";
import type { Emit } from "../../event.ts";
import type { CallOptions, Engine, EngineRequest, EngineResult } from "../../ports.ts";
import { type Digest, isDigest } from "../../spec/digest.ts";
import { onDisk } from "../disk-error.ts";
import { type ProcessEnd, runProcess, startProcess } from "../process.ts";
import { insideEngine } from "../real-docker.ts";
import type { Scratch } from "../scratch.ts";
import { type BuildFiles, buildCommand, pushesFromBuilder, savesFromStore } from "./build-arguments.ts";
import { type ClientSettings, type DockerClient, findDockerClient, isDaemonGone } from "./docker-client.ts";
import { engineDiskError } from "./engine-disk.ts";
import { type PlainProgress, readPlainProgress } from "./plain-progress.ts";

/** Drives Docker with BuildKit through its command line: 20.10 and later, either image store, any buildx builder. */
export function openDockerEngine(asked: ClientSettings, scratch: Pick<Scratch, "folder">): Engine {
  const settings: ClientSettings = { ...asked, env: { ...asked.env, [insideEngine]: "1" } };
  let found: Promise<DockerClient> | undefined;
  const client = async (options: CallOptions) => {
    found ??= findDockerClient(settings, options);
    return await found;
  };
  return {
    async inspect(options = {}) {
      const docker = await client(options);
      const fromStore = savesFromStore(docker);
      const pushes = fromStore || pushesFromBuilder(docker);
      return { name: nameOf(docker), canPush: pushes, prefers: fromStore || !pushes ? "archive" : "push" };
    },
    async build(request, { emit, signal }) {
      const docker = await client({ signal });
      const folder = scratch.folder();
      try {
        return await buildIn(folder, { docker, settings, request, emit, signal });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async load(archive, { signal } = {}) {
      return await loadInto(await client({ signal }), { archive, settings, signal });
    },
  };
}

/** The ID is the config's digest in the classic store and the manifest's in containerd's, so Docker is asked. */
async function loadInto(
  { program }: DockerClient,
  { archive, settings, signal }: { archive: AsyncIterable<Uint8Array>; settings: ClientSettings } & CallOptions,
): Promise<Digest> {
  const { env } = settings;
  const loaded = await runProcess(program, ["load", "--quiet"], { env, stdin: archive, signal });
  if (!succeeded(loaded.end)) throw failure("load the image into Docker", loaded.end);
  const name = /^Loaded image(?: ID)?: (\S+)$/m.exec(loaded.stdout.toString("utf8"))?.[1] ?? "";
  const shown = await runProcess(program, ["image", "inspect", "--format", "{{.Id}}", name], { env, signal });
  const id = shown.stdout.toString("utf8").trim();
  if (!succeeded(shown.end) || !isDigest(id)) throw failure("find the image that was loaded into Docker", shown.end);
  return id;
}

function nameOf({ serverVersion, buildx, isContainerdStore }: DockerClient): string {
  if (buildx !== undefined && buildx.driver !== "docker")
    return `buildx ${buildx.version} (builder ${buildx.builder}, ${buildx.driver})`;
  return `Docker ${serverVersion} (${isContainerdStore ? "containerd" : "classic"} image store)`;
}

interface Building extends CallOptions {
  readonly docker: DockerClient;
  readonly settings: ClientSettings;
  readonly request: EngineRequest;
  readonly emit: Emit;
}

async function buildIn(folder: string, building: Building): Promise<EngineResult> {
  const { docker, settings, request, emit, signal } = building;
  const files: BuildFiles = {
    dockerfile: join(folder, "Dockerfile"),
    imageId: join(folder, "image-id"),
    metadata: join(folder, "metadata.json"),
  };
  await writeText(files.dockerfile, request.dockerfile);
  // The ignore file beside the Dockerfile wins, so the one that counts for the user is put there.
  if (request.ignoreFile !== undefined) await writeText(`${files.dockerfile}.dockerignore`, request.ignoreFile);
  const context = await contextFor(request, folder);
  const directories = await directoriesFor(request, folder);
  const command = buildCommand(docker, { request: { ...request, context, directories }, files });
  const progress = readPlainProgress();
  const running = startProcess(docker.program, command.args, {
    env: { ...settings.env, ...command.env },
    stdin: request.context.kind === "tar" ? createReadStream(request.context.path) : undefined,
    signal,
    isGuarded: true,
    onLine: (line) => {
      for (const event of progress.line(line)) emit(event);
    },
  });
  const output = running.stdout[Symbol.asyncIterator]();
  const first = await output.next();
  if (first.done === true) return await finished(building, { end: await running.ended, progress, files });
  return {
    kind: "archive",
    open: () => archiveOf(building, { first: first.value, output, ended: running.ended, progress }),
    release: async () => undefined,
  };
}

/**
 * The build context under a path that no build had before. BuildKit keeps what it was sent from a path and is sent only
 * what changed: a file of the same size and time counts as unchanged (moby/buildkit#4817), and of a directory whose mode
 * alone changed it takes the mode, but not into the digests that decide whether a COPY is cached.
 */
async function contextFor({ context }: EngineRequest, folder: string): Promise<EngineRequest["context"]> {
  return context.kind === "directory" ? { ...context, path: await newPathTo(context.path, folder) } : context;
}

/** The same for directories that have names. */
async function directoriesFor({ directories }: EngineRequest, folder: string): Promise<EngineRequest["directories"]> {
  const paths = [...directories].map(async ([name, path]) => [name, await newPathTo(path, folder)] as const);
  return new Map(await Promise.all(paths));
}

async function newPathTo(directory: string, folder: string): Promise<string> {
  const path = join(folder, `context-${randomUUID()}`);
  await onDisk(path, async () => await symlink(resolve(directory), path));
  return path;
}

async function writeText(path: string, text: string): Promise<void> {
  await onDisk(path, async () => await writeFile(path, text));
}

interface Ended {
  readonly end: ProcessEnd;
  readonly progress: PlainProgress;
  readonly files: BuildFiles;
}

/** A build that wrote no archive: it is in the daemon's store, or pushed. */
async function finished(building: Building, { end, progress, files }: Ended): Promise<EngineResult> {
  const { docker, request } = building;
  if (!succeeded(end)) throw await buildFailure(building, { end, progress });
  if (!savesFromStore(docker)) {
    const metadata = JSON.parse(await readFile(files.metadata, "utf8")) as Record<string, unknown>;
    return pushed(String(metadata["containerimage.digest"]));
  }
  const imageId = (await readFile(files.imageId, "utf8")).trim();
  if (request.delivery.kind === "push") return await pushFromStore(building, request.delivery);
  return savedFromStore(building, imageId);
}

async function* archiveOf(
  building: Building,
  {
    first,
    output,
    ended,
    progress,
  }: {
    first: Uint8Array;
    output: AsyncIterator<Uint8Array>;
    ended: Promise<ProcessEnd>;
    progress: PlainProgress;
  },
): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await output.next(); next.done !== true; next = await output.next()) yield next.value;
  const end = await ended;
  if (!succeeded(end)) throw await buildFailure(building, { end, progress });
}

async function pushFromStore(
  { docker, settings, signal }: Building,
  { repository, tag }: { repository: string; tag: string },
): Promise<EngineResult> {
  const reference = `${repository}:${tag}`;
  const run = async (...args: string[]) => await runProcess(docker.program, args, { env: settings.env, signal });
  const { end, stdout } = await run("push", reference);
  await run("image", "rm", reference);
  if (!succeeded(end)) {
    throw new LayerwiseError("BUILD_FAILED", `could not have the engine push ${reference}: ${lastLine(end)}`, {
      details: { push: true },
      hint: "log the engine in to the registry, or see its output above",
    });
  }
  return pushed(/digest: (sha256:[0-9a-f]{64})/.exec(stdout.toString("utf8"))?.[1] ?? "");
}

function pushed(digest: string): EngineResult {
  if (isDigest(digest)) return { kind: "pushed", digest };
  throw new LayerwiseError("ENGINE_UNSUPPORTED", "could not learn from the engine what it pushed", {
    hint: "report this with the engine's version",
  });
}

function savedFromStore({ docker, settings, signal }: Building, imageId: string): EngineResult {
  const { env } = settings;
  return {
    kind: "archive",
    async *open() {
      const saving = startProcess(docker.program, ["image", "save", imageId], { env, signal });
      yield* saving.stdout;
      const end = await saving.ended;
      if (!succeeded(end)) throw failure(`take the image ${imageId} from Docker`, end);
    },
    async release() {
      const { stdout } = await runProcess(
        docker.program,
        ["image", "inspect", "--format", "{{json .RepoTags}}", imageId],
        { env },
      );
      // An image that somebody has tagged is not only ours.
      if (/^(?:\[\]|null)$/.test(stdout.toString("utf8").trim()))
        await runProcess(docker.program, ["image", "rm", imageId], { env });
    },
  };
}

async function buildFailure(
  { docker, settings, request }: Building,
  { end, progress }: Omit<Ended, "files">,
): Promise<LayerwiseError> {
  const step = progress.failed[0];
  const why = progress.error() ?? lastLine(end);
  // A step that failed has failed by itself; a build that just ended may have lost its daemon.
  if (step === undefined && (await isDaemonGone(docker, settings))) {
    return new LayerwiseError("ENGINE_UNREACHABLE", `could not build the image: the Docker daemon is gone: ${why}`, {
      hint: "see the daemon's log, start it, and run this again: what is uploaded is used again",
    });
  }
  const isPush = request.delivery.kind === "push" && step !== undefined && /^(?:exporting|pushing)/.test(step);
  const what = step === undefined ? "build the image" : `run ${step.replace(/^\[[^\]]*\] /, "")}`;
  // What a push could not store may be missing at the registry, and another way to take the image is left.
  const full = isPush ? undefined : engineDiskError(what, why);
  if (full !== undefined) return full;
  return new LayerwiseError("BUILD_FAILED", `could not ${what}: ${why}`, {
    details: { push: isPush, step: step ?? "", ...(end.kind === "exited" ? { exitCode: end.exitCode } : {}) },
    hint: "see the engine's output above",
  });
}

function failure(what: string, end: ProcessEnd): LayerwiseError {
  const why = lastLine(end);
  const unreachable = new LayerwiseError("ENGINE_UNREACHABLE", `could not ${what}: ${why}`, {
    hint: "see whether the daemon runs, and run this again",
  });
  return engineDiskError(what, why) ?? unreachable;
}

function succeeded(end: ProcessEnd): boolean {
  return end.kind === "exited" && end.exitCode === 0;
}

function lastLine(end: ProcessEnd): string {
  if (end.kind === "not-started") return end.reason;
  return end.errorTail.split("\n").at(-1) || "it gave no reason";
}
