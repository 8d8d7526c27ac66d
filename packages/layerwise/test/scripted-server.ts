// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request that is expected next, and its answer. */
export interface ScriptedRequest {
  /** Method and path with the query, for example `GET /v2/app/manifests/latest`. */
  readonly request: string | RegExp;
  /** Header fields that must be there with these values; undefined: must not be there. */
  readonly headers?: Readonly<Record<string, string | RegExp | undefined>>;
  /** What the body must be. */
  readonly body?: string | RegExp;
  readonly answer: ScriptedAnswer;
}

/** An answer. */
export interface ScriptedAnswer {
  /** 0: the connection ends without an answer. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** Ends the connection after this many bytes of the body. */
  readonly breakAfter?: number;
  /** Answers without having read the request's body, and ends the connection a little later. */
  readonly unread?: boolean;
  /** Ends the connection after this many bytes of the request's body, without an answer. */
  readonly breakRequestAfter?: number;
}

/** A server that knows what will be asked. */
export interface ScriptedServer {
  /** `127.0.0.1:port`, or `localhost:port` over TLS. */
  readonly host: string;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** `http://host` or `https://host`. */
  readonly origin: string;
  /** Appends to the script. */
  expect(...requests: readonly ScriptedRequest[]): void;
  /** Drops the rest of the script. */
  forget(): void;
}

/**
 * Starts a server that answers requests in the order of a script. When the test is finished it ends, and fails the test
 * if a request came that was not expected, or one did not come. Unexpected requests are answered with 418.
 */
export async function startScriptedServer(tls?: ServerOptions): Promise<ScriptedServer> {
  const script: ScriptedRequest[] = [];
  const complaints: string[] = [];
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const next = script.shift();
    play(next, request, response).then(
      (complaint) => complaint !== undefined && complaints.push(complaint),
      (error: unknown) => complaints.push(String(error)),
    );
  };
  const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const missing = script.map(({ request }) => `expected ${request}, and it did not come`);
    if (complaints.length + missing.length > 0) throw new Error([...complaints, ...missing].join("\n"));
  });
  const host = tls === undefined ? `127.0.0.1:${port}` : `localhost:${port}`;
  return {
    host,
    address: `127.0.0.1:${port}`,
    origin: `${tls === undefined ? "http" : "https"}://${host}`,
    expect: (...requests) => void script.push(...requests),
    forget: () => void script.splice(0),
  };
}

async function play(
  next: ScriptedRequest | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<string | undefined> {
  const { socket } = request;
  const line = `${request.method} ${request.url}`;
  const body = next?.answer.unread === true ? "" : await readUpTo(request, next?.answer.breakRequestAfter);
  const complaint = next === undefined ? `unexpected ${line}` : differenceOf(next, { line, request, body });
  if (next === undefined || complaint !== undefined) {
    response.writeHead(418).end(complaint);
    return complaint;
  }
  const { status, headers = {}, body: content = "", breakAfter, breakRequestAfter } = next.answer;
  if (status === 0 || breakRequestAfter !== undefined) {
    socket.destroy();
    return undefined;
  }
  const bytes = Buffer.from(content as Uint8Array);
  response.writeHead(status, { "content-length": bytes.length, ...(headers as Record<string, string>) });
  if (next.answer.unread === true) response.end(bytes, () => void setTimeout(() => socket.destroy(), 50));
  else if (breakAfter === undefined) response.end(request.method === "HEAD" ? undefined : bytes);
  else response.write(bytes.subarray(0, breakAfter), () => response.destroy());
  return undefined;
}

async function readUpTo(request: IncomingMessage, limit = Number.POSITIVE_INFINITY): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

interface Received {
  readonly line: string;
  readonly request: IncomingMessage;
  readonly body: string;
}

function differenceOf(expected: ScriptedRequest, { line, request, body }: Received): string | undefined {
  if (!fits(line, expected.request)) return `expected ${expected.request}, got ${line}`;
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    const found = request.headers[name];
    if (!fits(found, value)) return `${line}: expected ${name}: ${value}, got ${found}`;
  }
  if (expected.body !== undefined && !fits(body, expected.body))
    return `${line}: expected body ${expected.body}, got ${body}`;
  return undefined;
}

function fits(found: string | readonly string[] | undefined, expected: string | RegExp | undefined): boolean {
  if (expected === undefined) return found === undefined;
  return typeof expected === "string" ? found === expected : expected.test(String(found));
}
