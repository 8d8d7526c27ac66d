// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import type { CallOptions } from "../../ports.ts";
import { type ProcessEnd, runProcess } from "../process.ts";
import { programsOnPath } from "../real-docker.ts";

/** A docker client that can build with BuildKit, and what it drives. */
export interface DockerClient {
  /** Path of the program. */
  readonly program: string;
  readonly clientVersion: string;
  /** Undefined if no daemon answered; a builder elsewhere does without. */
  readonly serverVersion: string | undefined;
  /** Undefined: the client's own BuildKit front (before 23.0). */
  readonly buildx: { readonly version: string; readonly builder: string; readonly driver: string } | undefined;
  /** Whether the daemon keeps images in containerd's store. */
  readonly isContainerdStore: boolean;
}

/** Environment and choices that finding a client depends on. */
export interface ClientSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--builder`; undefined: what is selected. */
  readonly builder: string | undefined;
}

/** The first Docker whose BuildKit layerwise can drive. */
const oldestServer = 20;

/** The last client that brings BuildKit's front itself; later ones need the buildx plugin. */
const lastWithoutBuildx = 22;

/**
 * Finds a client on PATH that works: several may be there, and one without the buildx plugin cannot use BuildKit.
 *
 * @throws ENGINE_MISSING if there is none, ENGINE_UNREACHABLE if none has a daemon, ENGINE_UNSUPPORTED otherwise
 */
export async function findDockerClient(settings: ClientSettings, { signal }: CallOptions): Promise<DockerClient> {
  const programs = programsOnPath(settings.env["PATH"] ?? "", "docker");
  if (programs.length === 0) {
    throw new LayerwiseError("ENGINE_MISSING", "could not find an engine: there is no docker on PATH", {
      hint: "install Docker 20.10 or later, or build where a checkpoint covers every RUN",
    });
  }
  const refused: LayerwiseError[] = [];
  for (const program of programs) {
    const client = await examine(program, { settings, signal });
    if (!(client instanceof LayerwiseError)) return client;
    refused.push(client);
  }
  throw refused[0] as LayerwiseError;
}

interface Examining extends CallOptions {
  readonly settings: ClientSettings;
}

async function examine(program: string, { settings, signal }: Examining): Promise<DockerClient | LayerwiseError> {
  const { env, builder } = settings;
  const ask = async (...args: string[]) => await runProcess(program, args, { env, signal });
  const [version, buildx, inspected, info] = await Promise.all([
    ask("version", "--format", "{{json .}}"),
    ask("buildx", "version"),
    ask("buildx", "inspect", ...(builder === undefined ? [] : [builder])),
    ask("info", "--format", "{{json .DriverStatus}}"),
  ]);
  const versions = parseVersions(version.stdout.toString("utf8"));
  if (versions.client === undefined) {
    return new LayerwiseError("ENGINE_UNSUPPORTED", `could not use ${program}: ${tailOf(version.end)}`, {
      hint: "see what `docker version` says, or put another docker first on PATH",
    });
  }
  const plugin = /v?(\d+\.\d+\.\d+)/.exec(buildx.stdout.toString("utf8"))?.[1];
  // Without a daemon there is nothing behind the names.
  const driver = /^Driver:[ \t]*(\S+)/m.exec(inspected.stdout.toString("utf8"))?.[1];
  const name = /^Name:[ \t]*(\S+)/m.exec(inspected.stdout.toString("utf8"))?.[1];
  const wanted = builder ?? env["BUILDX_BUILDER"] ?? "";
  if (wanted !== "" && plugin !== undefined && driver === undefined) {
    return new LayerwiseError("ENGINE_UNREACHABLE", `could not use the builder ${wanted}: ${tailOf(inspected.end)}`, {
      hint: "name one that `docker buildx ls` lists, with --builder or BUILDX_BUILDER",
    });
  }
  if (wanted !== "" && plugin === undefined) {
    return new LayerwiseError(
      "ENGINE_UNSUPPORTED",
      `could not use the builder ${wanted}: ${program} has no buildx plugin`,
      {
        hint: "install docker-buildx, or name no builder",
      },
    );
  }
  const client: DockerClient = {
    program,
    clientVersion: versions.client,
    serverVersion: versions.server,
    buildx:
      plugin === undefined ? undefined : { version: plugin, builder: name ?? "default", driver: driver ?? "docker" },
    isContainerdStore: info.stdout.toString("utf8").includes("io.containerd.snapshotter"),
  };
  return refusal(client, tailOf(version.end)) ?? client;
}

function refusal(
  { program, clientVersion, serverVersion, buildx }: DockerClient,
  tail: string,
): LayerwiseError | undefined {
  const needsServer = buildx === undefined || buildx.driver === "docker";
  if (needsServer && serverVersion === undefined) {
    return new LayerwiseError("ENGINE_UNREACHABLE", `could not reach the Docker daemon with ${program}: ${tail}`, {
      hint: "start the daemon, or set DOCKER_HOST to one that runs",
    });
  }
  if (needsServer && majorOf(serverVersion ?? "") < oldestServer) {
    return new LayerwiseError("ENGINE_UNSUPPORTED", `could not use Docker ${serverVersion}: its BuildKit is too old`, {
      hint: "use Docker 20.10 or later",
    });
  }
  if (buildx === undefined && majorOf(clientVersion) > lastWithoutBuildx) {
    return new LayerwiseError(
      "ENGINE_UNSUPPORTED",
      `could not use ${program} ${clientVersion}: it has no buildx plugin`,
      {
        hint: "install docker-buildx, which this client needs for BuildKit",
      },
    );
  }
  return undefined;
}

/** Whether the daemon that a client builds with has gone; a builder elsewhere may go on without one. */
export async function isDaemonGone({ program, buildx }: DockerClient, { env }: ClientSettings): Promise<boolean> {
  if (buildx !== undefined && buildx.driver !== "docker") return false;
  const { stdout } = await runProcess(program, ["version", "--format", "{{json .}}"], { env });
  return parseVersions(stdout.toString("utf8")).server === undefined;
}

/** The number before the first dot; 0 if there is none. */
export function majorOf(version: string): number {
  return Number(/^\d+/.exec(version)?.[0] ?? 0);
}

/** `docker version` prints its JSON also when no daemon answers; the server is then null. */
function parseVersions(text: string): { client: string | undefined; server: string | undefined } {
  try {
    const { Client, Server } = JSON.parse(text) as {
      Client?: { Version?: string };
      Server?: { Version?: string } | null;
    };
    return { client: Client?.Version, server: Server?.Version };
  } catch {
    return { client: undefined, server: undefined };
  }
}

function tailOf(end: ProcessEnd): string {
  if (end.kind === "not-started") return end.reason;
  return end.errorTail.split("\n").at(-1) || "it gave no answer";
}
