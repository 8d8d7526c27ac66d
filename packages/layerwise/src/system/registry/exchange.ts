// SPDX-License-Identifier: Apache-2.0
import { setMaxListeners } from "node:events";
import type { IncomingMessage } from "node:http";
import { LayerwiseError } from "../../error.ts";
import type { Emit } from "../../event.ts";
import { redactUrl } from "../redact.ts";
import { call, piecesOf } from "./call.ts";
import type { Connections } from "./connections.ts";
import { type HttpRequest, isSuccess, maxErrorBody, type RequestBody, type StreamedAnswer } from "./http-message.ts";
import { NoAnswerError, ProxyRefusal } from "./network-error.ts";

/** What an exchange needs. */
export interface ExchangeOptions {
  readonly connections: Connections;
  readonly emit: Emit;
  readonly userAgent: string;
  /** Whether content (200, or 206 for a part) is handed out as a stream. */
  readonly stream: boolean;
}

/** Milliseconds until the head of an answer, and between two pieces of its body. */
const silenceTimeout = 60_000;

/** The status by which a proxy that is not asked for a tunnel speaks for itself (RFC 9110, section 15.5.8). */
const proxyAuthenticationRequired = 407;

/** Statuses of answers that carry content. */
const streamed: ReadonlySet<number> = new Set([200, 206]);

/** Most bytes of a successful answer unless the request says otherwise. */
const defaultMaxBytes = 64 * 1024;

/**
 * Sends one request and receives one answer, whatever it says. Emits one event when the answer is read or given up.
 *
 * Throws {@link NoAnswerError}, CANCELLED, REGISTRY_PROTOCOL for a body that is too long, or the error of the request's
 * own body.
 */
export async function exchange(request: HttpRequest, options: ExchangeOptions): Promise<StreamedAnswer> {
  if (request.signal?.aborted === true) throw cancelled(request);
  const traffic: Traffic = { status: 0, sent: 0, received: 0, bodyError: undefined, proxy: undefined };
  const finish = () => report(request, traffic, options.emit);
  let streams = false;
  try {
    const response = await send(request, { ...options, traffic });
    traffic.status = statusOf(response);
    const { method, url } = request;
    const head = { method, status: statusOf(response), headers: headersOf(response), url };
    if (options.stream && streamed.has(statusOf(response))) {
      streams = true;
      return { ...head, bytes: new Uint8Array(), body: streamBody(response, { request, traffic, finish }) };
    }
    return { ...head, bytes: await readBody(response, { request, traffic }), body: undefined };
  } catch (error) {
    throw explain(error, { request, traffic });
  } finally {
    if (!streams) finish();
  }
}

/** What went over the wire; filled while the exchange goes on. */
interface Traffic {
  status: number;
  sent: number;
  received: number;
  /** An error of the request's own body, which is nobody else's fault. */
  bodyError: { readonly error: unknown } | undefined;
  proxy: string | undefined;
}

interface Underway {
  readonly request: HttpRequest;
  readonly traffic: Traffic;
}

async function send(
  request: HttpRequest,
  { connections, userAgent, traffic }: ExchangeOptions & { traffic: Traffic },
): Promise<IncomingMessage> {
  const { url, method, body, signal } = request;
  // One signal ends any number of requests; Node would warn of the eleventh.
  if (signal !== undefined) setMaxListeners(0, signal);
  const way = await connections.reach(url);
  traffic.proxy = way.proxy;
  const headers = {
    "user-agent": userAgent,
    ...request.headers,
    ...(body === undefined ? {} : { "content-length": String(body.size) }),
  };
  const response = await call(way.open(url, { method, headers, ...(signal === undefined ? {} : { signal }) }), {
    body: body === undefined ? undefined : countedBody(request, { body, traffic }),
    answerTimeout: request.answerTimeout ?? silenceTimeout,
    signal,
  });
  if (response.statusCode !== proxyAuthenticationRequired || way.proxy === undefined) return response;
  response.destroy();
  throw new ProxyRefusal(proxyAuthenticationRequired);
}

async function* countedBody(
  request: HttpRequest,
  { body, traffic }: { body: RequestBody; traffic: Traffic },
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body.open()) {
      if (traffic.sent + chunk.length > body.size) throw wrongLength(request);
      yield chunk;
      traffic.sent += chunk.length;
    }
    if (traffic.sent !== body.size) throw wrongLength(request);
  } catch (error) {
    traffic.bodyError = { error };
    throw error;
  }
}

async function readBody(response: IncomingMessage, { request, traffic }: Underway): Promise<Uint8Array> {
  const success = isSuccess(statusOf(response));
  const limit = success ? (request.maxBytes ?? defaultMaxBytes) : maxErrorBody;
  const chunks: Uint8Array[] = [];
  for await (const chunk of piecesOf(response, silenceTimeout)) {
    traffic.received += chunk.length;
    chunks.push(chunk);
    if (traffic.received <= limit) continue;
    if (!success) break;
    throw new LayerwiseError(
      "REGISTRY_PROTOCOL",
      `could not ${request.action}: the answer is longer than ${limit} bytes`,
      {
        details: { url: redactUrl(request.url) },
      },
    );
  }
  return Buffer.concat(chunks).subarray(0, limit);
}

async function* streamBody(
  response: IncomingMessage,
  { request, traffic, finish }: Underway & { finish: () => void },
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of piecesOf(response, silenceTimeout)) {
      traffic.received += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw explain(error, { request, traffic });
  } finally {
    finish();
  }
}

function explain(error: unknown, { request, traffic }: Underway): unknown {
  if (request.signal?.aborted === true) return cancelled(request);
  if (traffic.bodyError !== undefined) return traffic.bodyError.error;
  if (error instanceof LayerwiseError) return error;
  return new NoAnswerError(request, error, { proxy: traffic.proxy });
}

function cancelled({ action }: HttpRequest): LayerwiseError {
  return new LayerwiseError("CANCELLED", `could not ${action}: cancelled`);
}

function wrongLength({ action }: HttpRequest): LayerwiseError {
  return new LayerwiseError("DIGEST_MISMATCH", `could not ${action}: its size is not what its descriptor says`);
}

/** Every answer that was received has a status. */
function statusOf({ statusCode = 0 }: IncomingMessage): number {
  return statusCode;
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? []].flat().join(", ")]));
}

function report(request: HttpRequest, { status, sent, received }: Traffic, emit: Emit): void {
  emit({ kind: "request", method: request.method, url: redactUrl(request.url), status, sent, received });
}
