// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { send } from "./http.ts";

/** Answers a request. */
export type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** How to listen. */
export interface ListenerOptions {
  /** The address. */
  readonly host: string;
  /** For requests to the address itself. */
  readonly serve: Serve;
  /** For requests over TLS, which come through the proxy. */
  readonly serveTls: Serve;
  readonly certificates: { readonly key: string; readonly cert: string };
  /** Whether the proxy leads to a `host:port`; everything else is refused. */
  readonly leads: (destination: string) => boolean;
}

/** Two servers: one over plain HTTP that is also a proxy, and one over TLS where the proxy leads to. */
export interface Listener {
  /** `address:port` of the plain one. */
  readonly name: string;
  close(): Promise<void>;
}

/** Starts to listen. */
export async function listen({ host, serve, serveTls, certificates, leads }: ListenerOptions): Promise<Listener> {
  const plain = createServer(guarded(serve));
  const tls = createTlsServer(certificates, guarded(serveTls));
  const tlsPort = await listening(tls, "127.0.0.1");
  const sockets = new Set<Socket>();
  for (const server of [plain, tls]) {
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
  }
  plain.on("connect", (request, socket: Duplex) => {
    socket.on("error", () => socket.destroy());
    if (!leads(request.url ?? "")) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const tunnel = connect(tlsPort, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      tunnel.pipe(socket).pipe(tunnel);
    });
    tunnel.on("error", () => socket.destroy());
    socket.on("close", () => tunnel.destroy());
  });
  const port = await listening(plain, host);
  return {
    name: `${host}:${port}`,
    async close() {
      const ended = [plain, tls].map(closed);
      // A server does not count a tunnel among its connections, and whoever is at its other end may have vanished.
      for (const socket of sockets) socket.destroy();
      await Promise.all(ended);
    },
  };
}

async function listening(server: Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, "listening");
  server.unref(); // What was forgotten must not make a process hang.
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server): Promise<void> {
  const ended = once(server, "close");
  server.close();
  await ended;
}

/** What fails here is a fault of ours, and is told to the client as AWS does. */
function guarded(serve: Serve): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    serve(request, response).catch((error: Error) => {
      if (response.headersSent || request.destroyed) return void response.destroy();
      const body = JSON.stringify({ __type: "InternalFailure", message: error.message });
      send(response, { status: 500, headers: { "content-type": "application/json" }, body });
    });
  };
}
