// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from "node:http";
import type { AddressInfo } from "node:net";
import type { RegistryPlace } from "../../../lab/src/index.ts";

/** A request that came to a proxy. */
export interface ProxiedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** What the registry, or the proxy in its place, answered; 0 if the connection was cut. */
  readonly status: number;
  /** Bytes of the request's body that came. */
  readonly received: number;
}

/** What a rule gets to see; the body only of manifests. */
export interface RuledRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
}

/** An answer in the registry's place. */
export interface CannedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The code of the registry's error document, or a body. */
  readonly code?: string | undefined;
  readonly body?: Uint8Array | undefined;
}

/**
 * What happens in the middle of an upload: it stands still, its connection breaks once, or all connections break and
 * nobody listens any more.
 */
export type UploadFault = "hold" | "cut" | "refuse";

/** How far uploads are. */
export interface UploadProgress {
  /** Blobs that are complete; only then bytes count. */
  readonly blobs?: number | undefined;
  readonly bytes: number;
}

/** A way to a registry with faults. Names and locations in answers lead back to the proxy. */
export interface RegistryProxy {
  /** As in references: `address:port`. */
  readonly name: string;
  /** All requests so far, in the order of their ends. */
  readonly requests: ProxiedRequest[];
  /** Answers in the registry's place where it gives an answer; `hold`: there is none until all connections end. */
  rule: ((request: RuledRequest) => CannedAnswer | "hold" | undefined) | undefined;
  /** Lets requests of a kind wait for an answer; resolves when the first one does. */
  hold(matches: (request: RuledRequest) => boolean): Promise<void>;
  /** Waits until so much has been uploaded, then strikes; resolves when it has. */
  strike(fault: UploadFault, after: UploadProgress): Promise<void>;
  /** Listens again, forgets requests, rules and faults. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

interface Armed {
  readonly fault: UploadFault;
  blobsLeft: number;
  bytesLeft: number;
  /** Ends when all blobs that must be complete are. */
  readonly counting: PromiseWithResolvers;
  readonly struck: () => void;
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

interface Proxy {
  readonly target: RegistryPlace;
  readonly requests: ProxiedRequest[];
  rule: RegistryProxy["rule"];
  armed: Armed | undefined;
  /** Stops listening. */
  vanish(): void;
}

/** Starts a proxy beside a registry, at an address that engines reach too. */
export async function startRegistryProxy(target: RegistryPlace): Promise<RegistryProxy> {
  const server = createServer((request, response) => {
    serve(proxy, request, response).catch(() => response.destroy());
  });
  const proxy: Proxy = {
    target,
    requests: [],
    rule: undefined,
    armed: undefined,
    vanish() {
      server.close();
      server.closeAllConnections();
    },
  };
  const listen = async (port: number) => {
    server.listen(port, target.address);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  server.unref(); // A forgotten proxy must not make a process hang.
  return {
    name: `${target.address}:${port}`,
    requests: proxy.requests,
    get rule() {
      return proxy.rule;
    },
    set rule(rule) {
      proxy.rule = rule;
    },
    hold: (matches) =>
      new Promise((held) => {
        proxy.rule = (request) => {
          if (!matches(request)) return undefined;
          held();
          return "hold";
        };
      }),
    strike: (fault, { blobs = 0, bytes }) =>
      new Promise((struck) => {
        proxy.armed = { fault, blobsLeft: blobs, bytesLeft: bytes, counting: withResolvers(), struck };
      }),
    async mend() {
      proxy.rule = undefined;
      proxy.armed?.counting.resolve();
      proxy.armed = undefined;
      proxy.requests.length = 0;
      server.closeAllConnections();
      if (!server.listening) await listen(port);
    },
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      proxy.vanish();
      await closed;
    },
  };
}

async function serve(proxy: Proxy, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url: path = "/" } = request;
  const isManifest = method === "PUT" && path.includes("/manifests/");
  const body = isManifest ? await bytesOf(request) : Buffer.alloc(0);
  const canned = proxy.rule?.({ method, path, body });
  const traffic = { received: body.length };
  const end = (status: number) => void proxy.requests.push({ method, path, status, received: traffic.received });
  if (canned === "hold") {
    request.resume();
    await once(response, "close");
    return end(0);
  }
  if (canned !== undefined) {
    request.resume();
    response.writeHead(canned.status, { "content-type": "application/json", ...canned.headers });
    response.end(
      canned.body ?? JSON.stringify({ errors: [{ code: canned.code, message: canned.code?.toLowerCase() }] }),
    );
    return end(canned.status);
  }
  const [hostname = "", port = ""] = proxy.target.name.split(":");
  const onward = sendRequest({ hostname, port, method, path, headers: request.headers });
  const answered = once(onward, "response");
  try {
    if (isManifest) onward.end(body);
    else await pass(request, { onward, proxy, traffic });
    const [answer] = (await answered) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    for await (const chunk of answer) if (!response.write(chunk)) await once(response, "drain");
    response.end();
    if (method === "PUT" && answer.statusCode === 201) countBlob(proxy.armed);
    end(answer.statusCode ?? 0);
  } catch (error) {
    answered.catch(() => undefined);
    onward.destroy();
    end(0);
    throw error;
  }
}

function countBlob(armed: Armed | undefined): void {
  if (armed === undefined) return;
  armed.blobsLeft -= 1;
  if (armed.blobsLeft <= 0) armed.counting.resolve();
}

/** Passes a body on, up to where the fault is. */
async function pass(
  request: IncomingMessage,
  { onward, proxy, traffic }: { onward: ReturnType<typeof sendRequest>; proxy: Proxy; traffic: { received: number } },
): Promise<void> {
  for await (const chunk of request as AsyncIterable<Buffer>) {
    traffic.received += chunk.length;
    const { armed } = proxy;
    // A large upload that is faster than the small ones would be over before it counts.
    if (armed !== undefined && armed.blobsLeft > 0 && traffic.received > armed.bytesLeft) await armed.counting.promise;
    if (armed !== undefined && armed.blobsLeft <= 0) {
      armed.bytesLeft -= chunk.length;
      if (armed.bytesLeft < 0) await strike(proxy, armed, request);
    }
    if (!onward.write(chunk)) await once(onward, "drain");
  }
  onward.end();
}

async function strike(proxy: Proxy, { fault, struck }: Armed, request: IncomingMessage): Promise<void> {
  // What stands still stands still for all uploads; a cut comes once.
  if (fault !== "hold") proxy.armed = undefined;
  struck();
  if (fault === "refuse") proxy.vanish();
  if (fault === "hold") await once(request, "close");
  throw new Error("cut");
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
