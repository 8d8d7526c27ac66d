// SPDX-License-Identifier: Apache-2.0
import { createServer, request as sendRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";
import { onTestFinished } from "vitest";

/** A proxy on loopback that sends everything to one place, whatever host was asked for. */
export interface ProxyServer {
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  readonly host: string;
  /** What was asked of the proxy: `CONNECT host:port`, or method and whole URL. */
  readonly asked: string[];
  /** How many wait for the answer to a CONNECT. */
  waiting(): number;
}

/** How a proxy behaves. */
export interface ProxyOptions {
  /** `host:port` where every connection leads. */
  readonly destination: string;
  /** The Proxy-Authorization field without which it answers 407. */
  readonly authorization?: string | undefined;
  /** Answers every request with this status. */
  readonly refuses?: number | undefined;
  /** Answers no CONNECT. */
  readonly isSilent?: boolean | undefined;
}

/** Starts a proxy that tunnels CONNECT and forwards plain requests; it ends when the test is finished. */
export async function startProxyServer(options: ProxyOptions): Promise<ProxyServer> {
  const { destination, authorization, refuses, isSilent = false } = options;
  const [hostname = "", port = ""] = destination.split(":");
  const asked: string[] = [];
  const silent = new Set<Duplex>();
  const refusal = (given: string | undefined) =>
    authorization !== undefined && given !== authorization ? 407 : refuses;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const status = refusal(request.headers["proxy-authorization"]);
    if (status !== undefined) return void response.writeHead(status).end();
    const { pathname, search } = new URL(request.url ?? "/", "http://none.invalid");
    const { method, headers } = request;
    const onward = sendRequest({ hostname, port, method, headers, path: `${pathname}${search}` }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (isSilent) {
      silent.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => silent.delete(socket));
      // Who does not read learns of no end.
      socket.on("end", () => socket.destroy()).resume();
      return;
    }
    const status = refusal(request.headers["proxy-authorization"]);
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const tunnel = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 Connected\r\n\r\n");
      tunnel.pipe(socket).pipe(tunnel);
    });
    tunnel.on("error", () => socket.destroy());
    socket.on("error", () => tunnel.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of silent) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin: `http://${host}`, host, asked, waiting: () => silent.size };
}
