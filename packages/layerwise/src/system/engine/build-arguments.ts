// SPDX-License-Identifier: Apache-2.0
import type { EngineRequest } from "../../ports.ts";
import { type DockerClient, majorOf } from "./docker-client.ts";

/** A command line for the client, and what must be in its environment. */
export interface BuildCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Files that the command refers to. */
export interface BuildFiles {
  readonly dockerfile: string;
  /** Where the client writes the image's ID. */
  readonly imageId: string;
  /** Where buildx writes what it made. */
  readonly metadata: string;
}

/** Variables that the client itself reads, which a build argument of the same name must not replace. */
const clientVariables = /^(?:PATH|HOME|TMPDIR|DOCKER_.*|BUILDX_.*|BUILDKIT_.*|SSH_AUTH_SOCK|(?:HTTPS?|NO|ALL)_PROXY)$/i;

/**
 * The arguments of a build. Values of build arguments go through the environment, so that they do not show in process
 * listings. Pure.
 */
export function buildCommand(
  client: DockerClient,
  { request, files }: { request: EngineRequest; files: BuildFiles },
): BuildCommand {
  const { buildx } = client;
  const env: Record<string, string> = { DOCKER_BUILDKIT: "1" };
  const args = buildx === undefined ? ["build"] : ["buildx", "build", "--builder", buildx.builder];
  args.push("--progress=plain");
  if (buildx !== undefined && hasAttestations(buildx.version)) args.push("--provenance=false", "--sbom=false");
  const file = request.context.kind === "directory" ? files.dockerfile : request.context.dockerfile;
  if (file !== undefined) args.push("--file", file);
  if (request.target !== undefined) args.push("--target", request.target);
  if (request.platform !== undefined) args.push("--platform", request.platform);
  for (const [name, value] of request.buildArgs) {
    const inEnvironment = !clientVariables.test(name);
    if (inEnvironment) env[name] = value;
    args.push("--build-arg", inEnvironment ? name : `${name}=${value}`);
  }
  for (const [name, path] of request.directories) args.push("--build-context", `${name}=${path}`);
  for (const [name, value] of request.labels) args.push("--label", `${name}=${value}`);
  args.push(
    ...noCacheFlags(request, buildx !== undefined),
    ...request.passThrough,
    ...deliveryFlags(client, { request, files }),
  );
  const { context } = request;
  args.push(context.kind === "directory" ? context.path : context.kind === "remote" ? context.url : "-");
  return { args, env };
}

/** The client's own front has no filter; it then reuses nothing, which is slower and never wrong. */
function noCacheFlags({ noCache }: EngineRequest, hasFilter: boolean): readonly string[] {
  if (noCache === false || (Array.isArray(noCache) && noCache.length === 0)) return [];
  if (noCache === true || !hasFilter) return ["--no-cache"];
  return (noCache as readonly string[]).flatMap((stage) => ["--no-cache-filter", stage]);
}

function deliveryFlags(
  client: DockerClient,
  { request, files }: { request: EngineRequest; files: BuildFiles },
): readonly string[] {
  const { delivery } = request;
  if (savesFromStore(client)) {
    const tag = delivery.kind === "push" ? ["--tag", `${delivery.repository}:${delivery.tag}`] : [];
    return [...tag, "--iidfile", files.imageId];
  }
  if (delivery.kind === "archive") return ["--output", "type=oci,dest=-"];
  const isDocker = client.buildx?.driver === "docker";
  // store=false: the daemon does not unpack what it only passes on. Other drivers push by digest, without a tag.
  const how = isDocker
    ? `name=${delivery.repository}:${delivery.tag},push=true,store=false`
    : pushByDigest(delivery.repository);
  return ["--output", `type=image,${how}`, "--metadata-file", files.metadata];
}

function pushByDigest(repository: string): string {
  return `name=${repository},push=true,push-by-digest=true,name-canonical=true`;
}

/** Docker's classic image store has no exporter but its own: images are tagged, pushed and saved by the daemon. */
export function savesFromStore({ buildx, isContainerdStore }: DockerClient): boolean {
  return buildx === undefined || (buildx.driver === "docker" && !isContainerdStore);
}

/** Older plugins believe that a daemon must push by itself, and fail after they have pushed. */
export function pushesFromBuilder({ buildx }: DockerClient): boolean {
  if (buildx === undefined) return false;
  const [major = 0, minor = 0] = buildx.version.split(".").map(Number);
  return buildx.driver !== "docker" || major > 0 || minor >= 20;
}

function hasAttestations(version: string): boolean {
  return majorOf(version) > 0 || Number(version.split(".")[1]) >= 10;
}
