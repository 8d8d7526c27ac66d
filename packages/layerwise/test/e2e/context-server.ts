// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Serves build contexts where this machine and all engines reach them. */
export interface ContextServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** Files to give out, by path. */
  readonly files: Map<string, Uint8Array>;
  /** Paths that were asked for. */
  readonly requests: string[];
  close(): void;
}

/**
 * Starts a server of files and of git repositories.
 *
 * @param repositories a folder; what is below it is served for paths that have `.git/` in them
 */
export async function startContextServer(address: string, repositories: string): Promise<ContextServer> {
  const files = new Map<string, Uint8Array>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://server");
    requests.push(pathname);
    if (pathname.includes(".git/")) {
      serveGit(request, response, repositories);
      return;
    }
    const content = files.get(pathname);
    response.writeHead(content === undefined ? 404 : 200, { "content-type": "application/octet-stream" });
    response.end(content);
  });
  server.listen(0, address);
  await once(server, "listening");
  server.unref(); // A forgotten server must not make a process hang.
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    files,
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** https://git-scm.com/docs/git-http-backend, which speaks CGI. */
function serveGit(request: IncomingMessage, response: ServerResponse, repositories: string): void {
  const { pathname, search } = new URL(request.url ?? "/", "http://server");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: repositories,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"],
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
      GIT_PROTOCOL: request.headers["git-protocol"]?.toString(),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.once("close", () => {
    const answer = Buffer.concat(chunks);
    const end = answer.indexOf("\r\n\r\n");
    const lines = answer.subarray(0, end).toString("latin1").split("\r\n");
    const headers = lines.map((line) => line.split(/: (.*)/).slice(0, 2) as [string, string]);
    const status = Number(headers.find(([name]) => name === "Status")?.[1].slice(0, 3) ?? 200);
    response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== "Status")));
    response.end(answer.subarray(end + 4));
  });
}
