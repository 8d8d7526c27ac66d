// SPDX-License-Identifier: Apache-2.0
import { setMaxListeners } from "node:events";
import type { Dispatcher } from "undici";
import { LayerwiseError } from "../../error.ts";
import type { Emit } from "../../event.ts";
import { redactUrl } from "../redact.ts";
import type { Connections } from "./connections.ts";
import { type HttpRequest, isSuccess, maxErrorBody, type RequestBody, type StreamedAnswer } from "./http-message.ts";
import { NoAnswerError } from "./network-error.ts";

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
    traffic.status = response.statusCode;
    const { method, url } = request;
    const head = { method, status: response.statusCode, headers: headersOf(response), url };
    if (options.stream && streamed.has(response.statusCode)) {
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

async function send(request: HttpRequest, { connections, userAgent, traffic }: ExchangeOptions & { traffic: Traffic }) {
  const { url, method, body, signal } = request;
  // One signal ends any number of requests; Node would warn of the eleventh.
  if (signal !== undefined) setMaxListeners(0, signal);
  const { stack, dispatcher, proxy } = await connections.reach(url);
  traffic.proxy = proxy;
  const response = await stack.sendRequest(dispatcher, {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: {
      "user-agent": userAgent,
      ...request.headers,
      ...(body === undefined ? {} : { "content-length": String(body.size) }),
    },
    body: body === undefined ? null : countedBody(body, traffic),
    signal: signal ?? null,
    headersTimeout: request.answerTimeout ?? silenceTimeout,
    bodyTimeout: silenceTimeout,
  });
  // Errors reach whoever reads the body; one that comes before or after must not end the process.
  response.body.on("error", () => undefined);
  return response;
}

async function* countedBody(body: RequestBody, traffic: Traffic): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body.open()) {
      traffic.sent += chunk.length;
      yield chunk;
    }
  } catch (error) {
    traffic.bodyError = { error };
    throw error;
  }
}

async function readBody(response: Dispatcher.ResponseData, { request, traffic }: Underway): Promise<Uint8Array> {
  const success = isSuccess(response.statusCode);
  const limit = success ? (request.maxBytes ?? defaultMaxBytes) : maxErrorBody;
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
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
  response: Dispatcher.ResponseData,
  { request, traffic, finish }: Underway & { finish: () => void },
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
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
  if (isLengthMismatch(error)) {
    return new LayerwiseError(
      "DIGEST_MISMATCH",
      `could not ${request.action}: its size is not what its descriptor says`,
    );
  }
  return new NoAnswerError(request, error, { proxy: traffic.proxy });
}

function cancelled({ action }: HttpRequest): LayerwiseError {
  return new LayerwiseError("CANCELLED", `could not ${action}: cancelled`);
}

function isLengthMismatch(error: unknown): boolean {
  return (error as { code?: unknown }).code === "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH";
}

function headersOf(response: Dispatcher.ResponseData): Record<string, string> {
  const fields = Object.entries(response.headers);
  return Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), [value ?? []].flat().join(", ")]));
}

function report(request: HttpRequest, { status, sent, received }: Traffic, emit: Emit): void {
  emit({ kind: "request", method: request.method, url: redactUrl(request.url), status, sent, received });
}
