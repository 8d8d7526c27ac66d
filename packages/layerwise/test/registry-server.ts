// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf, isDigest, startDigest } from "../src/spec/digest.ts";
import { missingReference } from "./missing-reference.ts";
import {
  type Answer,
  type Call,
  type Registry,
  type RegistrySwitches,
  refusal,
  type ServedRequest,
  type StoredRepository,
} from "./registry-call.ts";
import { answerAtGate } from "./registry-gate.ts";

/** A registry on loopback. */
export interface RegistryServer {
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly switches: RegistrySwitches;
  /** All requests so far, in the order of their answers. */
  readonly requests: ServedRequest[];
  /** Requests to the other host that brought credentials along. */
  readonly leaks: string[];
  close(): Promise<void>;
}

const ideal: RegistrySwitches = {
  mount: "mounted",
  mountFromMissing: undefined,
  namesDigests: true,
  knowsRanges: true,
  relativeLocations: false,
  uploads: "api",
  redirectsBlobs: false,
  headsManifests: true,
  refusesOci: false,
  convertsManifests: false,
  busyEvery: 0,
  others: undefined,
  login: undefined,
  busy: 0,
  brokenDownloads: 0,
  discardsBlobs: false,
  removes: true,
  authorization: undefined,
};

/** Starts a registry that speaks the distribution specification, with the faults that a test asks for. */
export async function startRegistryServer(switches: Partial<RegistrySwitches> = {}): Promise<RegistryServer> {
  const registry: Registry = {
    switches: { ...ideal, ...switches },
    requests: [],
    leaks: [],
    repositories: new Map(),
    uploads: new Map(),
    tokens: new Map(),
    storage: "",
    count: 0,
  };
  const server = await listen(registry, answerTo);
  const storage = await listen(registry, answerOfStorage);
  registry.storage = `http://${storage.host}`;
  return {
    host: server.host,
    switches: registry.switches,
    requests: registry.requests,
    leaks: registry.leaks,
    async close() {
      await Promise.all([server.close(), storage.close()]);
    },
  };
}

async function listen(registry: Registry, answer: (call: Call) => Answer) {
  const server = createServer((request, response) => {
    serve(registry, { request, response, answer }).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly answer: (call: Call) => Answer;
}

async function serve(registry: Registry, { request, response, answer: answering }: Exchange): Promise<void> {
  const { method = "GET", url: path = "/" } = request;
  const url = new URL(path, `http://${request.headers.host}`);
  const body = await readBody(
    request,
    registry.switches.discardsBlobs && method === "PUT" && url.pathname.includes("/blobs/"),
  );
  registry.count += 1;
  const answer = answering({ registry, method, url, request, body });
  registry.requests.push({ method, path, status: answer.status, received: body.size });
  const { status, headers = {}, body: content = Buffer.alloc(0) } = answer;
  response.writeHead(status, { "content-length": content.length, ...headers });
  if (answer.breaks !== true) return void response.end(method === "HEAD" ? undefined : content);
  response.write(content.subarray(0, Math.floor(content.length / 2)), () => response.destroy());
}

async function readBody(request: IncomingMessage, discards: boolean): Promise<Call["body"]> {
  const chunks: Buffer[] = [];
  const digester = startDigest();
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    digester.update(chunk);
    if (!discards) chunks.push(chunk);
  }
  return { digest: digester.digest(), size, bytes: discards ? undefined : Buffer.concat(chunks) };
}

const routes: readonly (readonly [RegExp, (call: Call, name: string, rest: string) => Answer])[] = [
  [/^\/v2\/(.+)\/blobs\/uploads\/(.*)$/, upload],
  [/^\/uploads\/(.+)\/([^/]+)$/, upload],
  [/^\/v2\/(.+)\/blobs\/(.+)$/, blob],
  [/^\/v2\/(.+)\/manifests\/(.+)$/, manifest],
];

function answerTo(call: Call): Answer {
  const { switches } = call.registry;
  if (switches.authorization !== undefined && call.request.headers.authorization !== switches.authorization) {
    return { ...refusal(401, "UNAUTHORIZED"), headers: { "www-authenticate": 'Basic realm="test"' } };
  }
  if (switches.busy > 0) {
    switches.busy -= 1;
    return { ...refusal(429, "TOOMANYREQUESTS"), headers: { "retry-after": "1" } };
  }
  const refused = answerAtGate(call);
  if (refused !== undefined) return refused;
  if (call.url.pathname === "/v2/") return { status: 200 };
  return route(call);
}

/** Whoever has a signed URL needs nothing else, and S3 refuses who sends more. */
function answerOfStorage(call: Call): Answer {
  if (call.request.headers.authorization !== undefined) {
    call.registry.leaks.push(`${call.method} ${call.url.pathname}`);
    return refusal(400, "InvalidArgument");
  }
  return call.url.searchParams.get("signature") === "valid" ? route(call, true) : refusal(403, "AccessDenied");
}

function route(call: Call, isStorage = false): Answer {
  for (const [form, answer] of routes) {
    const [match, name = "", rest = ""] = form.exec(call.url.pathname) ?? [];
    if (match === undefined) continue;
    const isMoved = answer === blob && call.method === "GET" && call.registry.switches.redirectsBlobs && !isStorage;
    if (!isMoved) return answer(call, name, rest);
    const location = `${call.registry.storage}${call.url.pathname}?signature=valid`;
    return call.registry.repositories.get(name)?.blobs.has(rest) === true
      ? { status: 307, headers: { location } }
      : refusal(404, "BLOB_UNKNOWN");
  }
  return refusal(404, "NAME_UNKNOWN");
}

function upload(call: Call, name: string, session: string): Answer {
  const { registry, method, url, body } = call;
  if (method === "POST") return mount(call, name) ?? openUpload(call, name);
  if (method !== "PUT") return refusal(405, "UNSUPPORTED");
  if (registry.uploads.get(session) !== name) return refusal(404, "BLOB_UPLOAD_UNKNOWN");
  registry.uploads.delete(session);
  const digest = url.searchParams.get("digest");
  if (digest !== body.digest) return refusal(400, "DIGEST_INVALID");
  repositoryOf(registry, name).blobs.set(digest, body);
  return { status: 201, headers: { location: `/v2/${name}/blobs/${digest}` } };
}

function mount({ registry, url }: Call, name: string): Answer | undefined {
  const digest = url.searchParams.get("mount");
  if (digest === null || registry.switches.mount === "upload-opened") return undefined;
  if (registry.switches.mount !== "mounted") return refusal(registry.switches.mount, "DENIED");
  const source = registry.repositories.get(url.searchParams.get("from") ?? "");
  if (source === undefined && registry.switches.mountFromMissing !== undefined) {
    return refusal(registry.switches.mountFromMissing, "UNAUTHORIZED");
  }
  const found = source?.blobs.get(digest);
  if (found === undefined) return undefined;
  repositoryOf(registry, name).blobs.set(digest, found);
  return { status: 201, headers: { location: `/v2/${name}/blobs/${digest}` } };
}

function openUpload({ registry, url }: Call, name: string): Answer {
  const session = String(registry.count);
  registry.uploads.set(session, name);
  const { uploads, relativeLocations } = registry.switches;
  if (uploads === "host") {
    return { status: 202, headers: { location: `${registry.storage}/uploads/${name}/${session}?signature=valid` } };
  }
  const folder = uploads === "path" ? `/uploads/${name}` : `/v2/${name}/blobs/uploads`;
  const path = `${folder}/${session}?_state=${session}`;
  return { status: 202, headers: { location: relativeLocations ? path : new URL(path, url).href } };
}

function blob({ registry, method, request }: Call, name: string, digest: string): Answer {
  const found = registry.repositories.get(name)?.blobs.get(digest);
  if (found === undefined) return refusal(404, "BLOB_UNKNOWN");
  if (method === "HEAD") return { status: 200, headers: { "content-length": found.size } };
  if (method !== "GET" || found.bytes === undefined) return refusal(405, "UNSUPPORTED");
  const breaks = registry.switches.brokenDownloads > 0;
  if (breaks) registry.switches.brokenDownloads -= 1;
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from === 0 || !registry.switches.knowsRanges) return { status: 200, body: found.bytes, breaks };
  const headers = { "content-range": `bytes ${from}-${found.size - 1}/${found.size}` };
  return { status: 206, headers, body: found.bytes.subarray(from), breaks };
}

function manifest(call: Call, name: string, reference: string): Answer {
  const { registry, method, request, body } = call;
  if (method === "PUT") return putManifest(call, name, reference);
  if (method === "DELETE") return deleteManifest(registry, name, reference);
  if (method === "HEAD" && !registry.switches.headsManifests) return refusal(405, "UNSUPPORTED");
  const found = registry.repositories.get(name)?.manifests.get(reference);
  if (found === undefined || body.size > 0) return refusal(404, "MANIFEST_UNKNOWN");
  if (!(request.headers.accept ?? "").includes(found.mediaType)) {
    return registry.switches.convertsManifests ? converted : refusal(404, "MANIFEST_UNKNOWN");
  }
  return {
    status: 200,
    headers: { "content-type": found.mediaType, ...digestHeader(registry, found.bytes) },
    body: found.bytes,
  };
}

/** A manifest of Docker's first schema, in which registries answer who knows no other. */
const converted: Answer = {
  status: 200,
  headers: { "content-type": "application/vnd.docker.distribution.manifest.v1+prettyjws" },
  body: Buffer.from('{"schemaVersion":1}'),
};

function deleteManifest(registry: Registry, name: string, digest: string): Answer {
  if (!registry.switches.removes) return refusal(405, "UNSUPPORTED");
  const { manifests } = repositoryOf(registry, name);
  const found = manifests.get(digest);
  if (found === undefined) return refusal(404, "MANIFEST_UNKNOWN");
  for (const [reference, one] of manifests) if (one.bytes.equals(found.bytes)) manifests.delete(reference);
  return { status: 202 };
}

function putManifest({ registry, request, body }: Call, name: string, reference: string): Answer {
  const { bytes = Buffer.alloc(0), digest } = body;
  const isOci = (request.headers["content-type"] ?? "").includes("vnd.oci");
  if (registry.switches.refusesOci && isOci) return refusal(415, "MANIFEST_INVALID");
  if (isDigest(reference) && reference !== digest) return refusal(400, "DIGEST_INVALID");
  const repository = repositoryOf(registry, name);
  const missing = missingReference(bytes, (one) => repository.blobs.has(one) || repository.manifests.has(one));
  if (missing !== undefined) return refusal(400, "MANIFEST_BLOB_UNKNOWN", { digest: missing });
  const stored = { mediaType: request.headers["content-type"] ?? "", bytes };
  repository.manifests.set(digest, stored);
  repository.manifests.set(reference, stored);
  return { status: 201, headers: { location: `/v2/${name}/manifests/${digest}`, ...digestHeader(registry, bytes) } };
}

function digestHeader({ switches }: Registry, bytes: Buffer): Record<string, string> {
  return switches.namesDigests ? { "docker-content-digest": digestOf(bytes) } : {};
}

function repositoryOf({ repositories }: Registry, name: string): StoredRepository {
  const found = repositories.get(name) ?? { blobs: new Map(), manifests: new Map() };
  repositories.set(name, found);
  return found;
}
