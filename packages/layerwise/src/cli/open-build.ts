// SPDX-License-Identifier: Apache-2.0
import { createWriteStream } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { BuildOptions } from "../build.ts";
import { LayerwiseError } from "../error.ts";
import type { BuildPlace } from "../explain/recall-build.ts";
import type { Repositories, Repository } from "../ports.ts";
import type { Output } from "../publish/deliver.ts";
import { formatRepository, parseRepositoryName, type Reference } from "../spec/reference.ts";
import { machinePlatform, openBuildFiles, proxyArguments, sourceRevision, type Wired } from "../wire.ts";
import { openBuildContexts } from "./build-contexts.ts";
import { readLockFile } from "./lock-command.ts";
import type { CommandOptions, OutputOption } from "./options.ts";
import type { Surroundings } from "./run.ts";

/** Opens what the command line names: context, Dockerfile, repositories. */
export async function openBuildOptions(
  options: CommandOptions,
  { wired, around, isPlan }: { wired: Wired; around: Surroundings; isPlan: boolean },
): Promise<BuildOptions> {
  const { context, file } = options;
  const files = await openBuildFiles({ context, file, stdin: around.stdin, spool: wired.spool });
  return { ...files, ...(await openBuildSettings(options, { wired, around, isPlan })) };
}

/** What the command line says of a build, apart from its files. */
export type BuildSettings = Omit<BuildOptions, "context" | "dockerfile" | "ignoreFile">;

/** How many builds before it a page about a build shows. */
const shownHistory = 10;

/** Opens what the command line names, apart from the files of the build. */
export async function openBuildSettings(
  options: CommandOptions,
  { wired, around, isPlan }: { wired: Wired; around: Surroundings; isPlan: boolean },
): Promise<BuildSettings> {
  const { named, directories, otherContexts } = openBuildContexts(options.buildContexts);
  const outputs = openOutputs(options, { wired, stdout: around.stdout });
  if (options.engine === "never" && !isPlan && outputs.some(({ kind }) => kind === "load")) {
    throw new LayerwiseError("USAGE", "could not load into Docker with --engine never", {
      hint: "give --push or --output type=oci,dest=DIR",
    });
  }
  return {
    target: options.target,
    buildArgs: options.buildArgs,
    clientArgs: await proxyArguments(around.env),
    buildPlatform: machinePlatform(),
    platform: options.platform,
    labels: options.labels,
    annotations: options.annotations,
    named,
    directories,
    otherContexts,
    wholeReason: undefined,
    locked: options.lockFile === undefined ? undefined : await readLockFile(options.lockFile),
    passThrough: options.passThrough,
    runOptions: options.runs,
    noCache: options.noCache,
    notBefore: options.refreshAfter === undefined ? undefined : wired.ports.clock.now() - options.refreshAfter,
    outputs,
    tagByContent: options.tagByContent,
    cache: openCache(options, { wired, outputs, isPlan }),
    place: openPlace(options, { wired, outputs, isPlan }),
    source: sourceRevision(options.context, around.env),
    history: options.reports.some(({ form }) => form === "html") ? shownHistory : undefined,
    readOnlyCache: options.readOnlyCache,
    checkpoints: options.checkpoints,
    engine: options.engine,
    verifyOneIn: options.verifyOneIn,
    version: around.version,
    signal: around.signal,
  };
}

function openOutputs(
  { outputs, tags }: CommandOptions,
  { wired, stdout }: { wired: Wired; stdout: Writable },
): readonly Output[] {
  const asked = outputs.length === 0 ? [{ kind: "load" } as const] : outputs;
  return asked.flatMap((output) => openOutput(output, { tags, wired, stdout }));
}

function openOutput(
  output: OutputOption,
  { tags, wired, stdout }: { tags: readonly Reference[]; wired: Wired; stdout: Writable },
): readonly Output[] {
  const references = tags.map(familiarName);
  switch (output.kind) {
    case "push":
      return destinations(tags, wired);
    case "load":
      return [{ kind: "load", references }];
    case "layout": {
      const repository = wired.ports.repositories.inLayout(output.path);
      return [{ kind: "repository", repository, tags: layoutTags(tags) }];
    }
    case "archive":
      return [
        { kind: "archive", references, write: (archive) => writeArchive(archive, { path: output.path, stdout }) },
      ];
  }
}

/** One destination a repository, in the order of the tags. */
function destinations(tags: readonly Reference[], { ports }: Pick<Wired, "ports">): readonly Output[] {
  const byRepository = new Map<string, Reference[]>();
  for (const tag of tags) {
    const name = formatRepository(tag);
    byRepository.set(name, [...(byRepository.get(name) ?? []), tag]);
  }
  return [...byRepository.values()].map((group) => ({
    kind: "repository",
    repository: ports.repositories.inRegistry(group[0] as Reference),
    tags: group.map(({ tag }) => tag ?? "latest"),
  }));
}

function layoutTags(tags: readonly Reference[]): readonly string[] {
  return tags.length === 0 ? ["latest"] : [...new Set(tags.map(({ tag }) => tag ?? "latest"))];
}

/** The short form that Docker shows: Docker Hub's host and `library/` left out. */
function familiarName({ host, path, tag }: Reference): string {
  const name = host === "docker.io" ? path.replace(/^library\//, "") : `${host}/${path}`;
  return `${name}:${tag ?? "latest"}`;
}

async function writeArchive(
  archive: AsyncIterable<Uint8Array>,
  { path, stdout }: { path: string; stdout: Writable },
): Promise<void> {
  const source = Readable.from(archive, { objectMode: false });
  try {
    if (path === "-") await pipeline(source, stdout, { end: false });
    else await pipeline(source, createWriteStream(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw cause;
    throw new LayerwiseError("DISK", `could not write ${path}: ${code === "ENOSPC" ? "the disk is full" : code}`, {
      cause,
      hint: "name a file in a folder that this user may write and that has the space",
    });
  }
}

/**
 * Checkpoints are in the repository that the user named, else where the image goes. An image that goes nowhere has no
 * place for them.
 */
function openCache(
  { cacheRepo, tags, outputs: asked }: CommandOptions,
  { wired, outputs, isPlan }: { wired: Wired; outputs: readonly Output[]; isPlan: boolean },
): Repository | undefined {
  const { repositories } = wired.ports;
  if (cacheRepo !== undefined) return openCacheRepository(cacheRepo, repositories);
  // A plan says what `build --push` would do.
  if (isPlan && asked.length === 0 && tags[0] !== undefined) return repositories.inRegistry(tags[0]);
  const first = outputs.find((output) => output.kind === "repository");
  return first?.kind === "repository" ? first.repository : undefined;
}

/** The build before is what the tags of the first repository point to. */
function openPlace(
  options: CommandOptions,
  { wired, outputs, isPlan }: { wired: Wired; outputs: readonly Output[]; isPlan: boolean },
): BuildPlace | undefined {
  if (isPlan && options.outputs.length === 0) return openTaggedPlace(options, wired);
  const first = outputs.find((output) => output.kind === "repository");
  return first?.kind === "repository" ? { repository: first.repository, tags: first.tags } : undefined;
}

/** Where the tags are that commands name without saying where an image goes: a registry, or the layout with the cache. */
export function openTaggedPlace(
  { tags, cacheRepo }: CommandOptions,
  { ports }: Pick<Wired, "ports">,
): BuildPlace | undefined {
  const cache = cacheRepo === undefined ? undefined : openCacheRepository(cacheRepo, ports.repositories);
  if (cache?.isLocal === true) return { repository: cache, tags: layoutTags(tags) };
  const [first] = destinations(tags, { ports });
  return first?.kind === "repository" ? { repository: first.repository, tags: first.tags } : undefined;
}

/** What `--cache-repo` names: a repository of a registry, or a directory. */
export function openCacheRepository(text: string, repositories: Repositories): Repository {
  const layout = /^oci-layout:(?:\/\/)?(.+)$/.exec(text)?.[1];
  return layout === undefined ? repositories.inRegistry(parseRepositoryName(text)) : repositories.inLayout(layout);
}
