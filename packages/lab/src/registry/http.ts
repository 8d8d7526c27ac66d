// SPDX-License-Identifier: Apache-2.0
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LabError } from "../host/lab-error.ts";

/** A user of a registry. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** A request over plain HTTP. */
export interface HttpRequest {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string | number>> | undefined;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly auth?: Credentials | undefined;
}

/** An answer with its whole body. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Milliseconds of silence after which a peer counts as gone. */
const silence = 60_000;

/** Sends a request and reads the whole answer, whatever its status. */
export async function httpRequest(url: string, options: HttpRequest = {}): Promise<HttpAnswer> {
  const response = await send(url, options);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

/**
 * Reads a body as it comes.
 *
 * @throws {LabError} unless the status is 200
 */
export async function* httpBody(url: string, options: HttpRequest = {}): AsyncGenerator<Uint8Array> {
  const response = await send(url, options);
  if (response.statusCode !== 200) {
    response.resume();
    throw new LabError(`could not read ${url}: status ${response.statusCode}`);
  }
  yield* response as AsyncIterable<Uint8Array>;
}

function send(url: string, options: HttpRequest): Promise<IncomingMessage> {
  const { method = "GET", headers = {}, auth, body = new Uint8Array() } = options;
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(new LabError(`could not ${method} ${url}: ${cause.message}`, { cause }));
    const outgoing = request(url, {
      method,
      headers: { ...headers, ...lengthOf(body) },
      auth: auth && `${auth.user}:${auth.password}`,
      timeout: silence,
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.once("error", fail);
    outgoing.once("response", resolve);
    if (body instanceof Uint8Array) outgoing.end(body);
    else pipeline(Readable.from(body), outgoing).catch(fail);
  });
}

function lengthOf(body: HttpRequest["body"]): Record<string, number> {
  return body instanceof Uint8Array && body.length > 0 ? { "content-length": body.length } : {};
}
