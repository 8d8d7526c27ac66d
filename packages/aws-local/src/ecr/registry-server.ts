// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { TLSSocket } from "node:tls";
import { bodyOf, send } from "../http.ts";
import type { Serve } from "../listener.ts";
import type { Principal } from "../principal.ts";
import { denialOf } from "../rights/check-rights.ts";
import { askBehind, type Backing, pathBehind, putBehind } from "./backing.ts";
import { digestOf, manifestFor, readManifest } from "./manifest.ts";
import { registryRights } from "./registry-rights.ts";
import {
  missingRepository,
  type RegistryState,
  refersTo,
  rememberImage,
  type StoredRepository,
  setTag,
} from "./registry-state.ts";
import type { RegistryTokens } from "./tokens.ts";

/** What the registry's side of ECR needs. */
export interface RegistryServerParts {
  readonly backing: Backing;
  readonly tokens: RegistryTokens;
  /** The registry of an account and a Region. */
  readonly stateOf: (host: string) => RegistryState;
  /** The URL that a blob is downloaded from; over TLS only, so that readers over plain HTTP need no names. */
  readonly downloadUrl: (path: string, region: string) => string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

interface Exchange extends RegistryServerParts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly url: URL;
  readonly state: RegistryState;
  readonly principal: Principal;
  readonly uploads: Map<string, number>;
}

/** Bytes of a manifest. https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-manifests */
const maxManifest = 4 * 1024 * 1024;

/** Requests of the distribution specification that name a repository. */
const routes = [
  [/^\/v2\/(?<name>.+)\/tags\/list$/, "tags", listTags],
  [/^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/, "manifest", serveManifest],
  [/^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<reference>[^/]*)$/, "upload", serveUpload],
  [/^\/v2\/(?<name>.+)\/blobs\/(?<reference>[^/]+)$/, "blob", serveBlob],
] as const;

interface Place {
  readonly repository: StoredRepository;
  /** A tag, a digest or an upload. */
  readonly reference: string;
}

/**
 * The registry's side of ECR: the distribution specification in front of a real registry, with what is ECR's own.
 *
 * Basic authorization with a token and no token service; repositories must exist; immutable tags; manifests converted
 * for clients that ask by tag and know Docker's schema only; no digest field with GET; mounting only where the account
 * has it switched on, and only of blobs that a manifest refers to; of an upload in several PATCH requests all but the
 * first are lost.
 */
export function createRegistryServer(parts: RegistryServerParts): Serve {
  const uploads = new Map<string, number>();
  return async (request, response) => {
    const { method = "GET" } = request;
    const host = (request.headers.host ?? "").toLowerCase();
    const url = new URL(request.url ?? "/", "http://registry.invalid");
    const state = parts.stateOf(host);
    const principal = parts.tokens.holder(request.headers.authorization, state.region);
    if (principal === undefined) {
      request.resume();
      const challenge = `Basic realm="https://${host}/",service="ecr.amazonaws.com"`;
      return send(response, { status: 401, headers: { "www-authenticate": challenge }, body: "Not Authorized\n" });
    }
    const exchange = { ...parts, request, response, method, url, state, principal, uploads };
    if (url.pathname === "/v2/" || url.pathname === "/v2") return send(response, { status: 200, body: "{}" });
    for (const [pattern, kind, serve] of routes) {
      const { name, reference = "" } = pattern.exec(url.pathname)?.groups ?? {};
      if (name === undefined) continue;
      const repository = state.repositories.get(name);
      if (repository === undefined)
        return refuse(exchange, { status: 404, code: "NAME_UNKNOWN", message: missingRepository(state, name) });
      const denial = denialOf(principal, registryRights({ method, kind, resource: arnOf(state, name) }));
      if (denial !== undefined) return refuse(exchange, { status: 403, code: "DENIED", message: denial });
      return await serve(exchange, { repository, reference: decodeURIComponent(reference) });
    }
    refuse(exchange, { status: 404, code: "UNSUPPORTED", message: "The operation is unsupported" });
  };
}

function arnOf({ account, region }: RegistryState, name: string): string {
  return `arn:aws:ecr:${region}:${account}:repository/${name}`;
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes */
function refuse({ request, response }: Exchange, { status, code, message }: Refusal): void {
  request.resume();
  const body = JSON.stringify({ errors: [{ code, message }] });
  send(response, { status, headers: { "content-type": "application/json" }, body });
}

async function listTags(exchange: Exchange, { repository }: Place): Promise<void> {
  const { searchParams } = exchange.url;
  const last = searchParams.get("last") ?? "";
  const tags = [...repository.tags.keys()].sort().filter((tag) => tag > last);
  const page = tags.slice(0, Number(searchParams.get("n") ?? "1000"));
  const next = `</v2/${repository.name}/tags/list?last=${page.at(-1)}&n=${page.length}>; rel="next"`;
  const link = page.length < tags.length ? { link: next } : undefined;
  const body = JSON.stringify({ name: repository.name, tags: page });
  send(exchange.response, { status: 200, headers: { "content-type": "application/json", ...link }, body });
}

async function serveManifest(exchange: Exchange, place: Place): Promise<void> {
  if (exchange.method === "PUT") return await putManifest(exchange, place);
  if (exchange.method !== "GET" && exchange.method !== "HEAD") {
    return refuse(exchange, { status: 405, code: "UNSUPPORTED", message: "The operation is unsupported." });
  }
  const { repository, reference } = place;
  const isTag = !reference.startsWith("sha256:");
  const image = repository.images.get(isTag ? (repository.tags.get(reference) ?? "") : reference);
  if (image === undefined) {
    return refuse(exchange, { status: 404, code: "MANIFEST_UNKNOWN", message: "Requested image not found" });
  }
  if (exchange.method === "GET") image.pulledAt = exchange.clock();
  const stored = { mediaType: image.mediaType, bytes: image.manifest };
  const sent = isTag ? manifestFor(stored, exchange.request.headers.accept ?? "") : stored;
  const digest = exchange.method === "HEAD" ? { "docker-content-digest": digestOf(sent.bytes) } : undefined;
  const headers = { "content-type": sent.mediaType, "content-length": String(sent.bytes.length), ...digest };
  send(exchange.response, { status: 200, headers, body: sent.bytes });
}

async function putManifest(exchange: Exchange, { repository, reference }: Place): Promise<void> {
  const { state, request, response } = exchange;
  const bytes = await bodyOf(request, maxManifest);
  const mediaType = request.headers["content-type"] ?? "";
  const digest = digestOf(bytes);
  const tag = reference.startsWith("sha256:") ? undefined : reference;
  if (tag === undefined && reference !== digest) {
    return refuse(exchange, { status: 400, code: "DIGEST_INVALID", message: `The digest is ${digest}` });
  }
  const answer = await putBehind(exchange.backing, { state, repository, mediaType, bytes });
  if (answer.statusCode !== 201) return await passAnswer(exchange, answer);
  answer.resume();
  // Set when the bytes are stored, so that of two that race the second one sees the first one's tag.
  rememberImage(repository, { ...readManifest(bytes, mediaType), digest, manifest: bytes, pushedAt: exchange.clock() });
  if (tag !== undefined && !setTag(repository, { tag, digest })) {
    const message = `The image tag '${tag}' already exists in the '${repository.name}' repository and cannot be overwritten because the tag is immutable.`;
    return refuse(exchange, { status: 400, code: "TAG_INVALID", message });
  }
  const location = `/v2/${repository.name}/manifests/${digest}`;
  send(response, { status: 201, headers: { location, "docker-content-digest": digest } });
}

async function serveBlob(exchange: Exchange, { repository, reference }: Place): Promise<void> {
  if (exchange.method !== "GET" && exchange.method !== "HEAD") {
    return refuse(exchange, { status: 405, code: "UNSUPPORTED", message: "The operation is unsupported." });
  }
  const path = `${pathBehind({ state: exchange.state, repository })}/blobs/${reference}`;
  if (exchange.method === "GET" && exchange.request.socket instanceof TLSSocket) {
    const location = exchange.downloadUrl(path, exchange.state.region);
    return send(exchange.response, { status: 307, headers: { location } });
  }
  const { range } = exchange.request.headers;
  const answer = await askBehind(exchange.backing, {
    method: exchange.method,
    path,
    headers: range === undefined ? {} : { range },
  });
  await passAnswer(exchange, answer);
}

async function serveUpload(exchange: Exchange, place: Place): Promise<void> {
  const { method, request, url, state, uploads, principal } = exchange;
  const { repository, reference } = place;
  const query = new URLSearchParams(url.searchParams);
  if (method === "POST" && query.has("mount")) {
    const source = state.repositories.get(query.get("from") ?? "");
    const resource = arnOf(state, source?.name ?? "");
    // https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
    const denial = denialOf(principal, [{ action: "ecr:GetDownloadUrlForLayer", resource }]);
    const isMountable =
      denial === undefined &&
      state.settings.get("BLOB_MOUNTING") === "ENABLED" &&
      source !== undefined &&
      refersTo(source, query.get("mount") ?? "");
    if (isMountable) query.set("from", pathBehind({ state, repository: source }).slice("/v2/".length));
    else for (const name of ["mount", "from"]) query.delete(name);
  }
  const patches = uploads.get(reference) ?? 0;
  if (method === "PATCH") {
    uploads.set(reference, patches + 1);
    if (patches > 0) return await losePatch(exchange, place);
  }
  if (method === "PUT" || method === "DELETE") uploads.delete(reference);
  const search = query.size === 0 ? "" : `?${query}`;
  const path = `${pathBehind({ state, repository })}/blobs/uploads/${reference}${search}`;
  const { "content-type": type, "content-length": length, "content-range": range } = request.headers;
  const headers = Object.fromEntries(
    Object.entries({ "content-type": type, "content-length": length, "content-range": range }).filter(
      ([, value]) => value,
    ),
  );
  const answer = await askBehind(exchange.backing, { method, path, headers, body: request });
  await passAnswer(exchange, answer, method === "PATCH" && answer.statusCode === 202 ? 201 : undefined);
}

/** What follows the first PATCH is taken and lost. https://github.com/aws/containers-roadmap/issues/2831 */
async function losePatch({ request, response, url }: Exchange, { reference }: Place): Promise<void> {
  const size = (await bodyOf(request)).length;
  const end = /-(\d+)$/.exec(request.headers["content-range"] ?? "")?.[1] ?? String(Math.max(0, size - 1));
  const location = `${url.pathname}${url.search}`;
  send(response, { status: 201, headers: { location, range: `0-${end}`, "docker-upload-uuid": reference } });
}

async function passAnswer({ response, state }: Exchange, answer: IncomingMessage, status?: number): Promise<void> {
  const headers = { ...answer.headers };
  delete headers.connection;
  delete headers["keep-alive"];
  if (headers.location !== undefined) {
    const { pathname, search } = new URL(headers.location, "http://registry.invalid");
    headers.location = `/v2/${pathname.slice(`/v2/${state.account}/${state.region}/`.length)}${search}`;
  }
  response.writeHead(status ?? answer.statusCode ?? 502, headers);
  await pipeline(answer, response);
}
