// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { Agent, type IncomingMessage, type ServerResponse, request as sendRequest } from "node:http";
import { AwsError } from "./error.ts";

/** Bytes of a request to an API; uploads of S3 among them. */
const maxBody = 512 * 1024 * 1024;

/** The whole body of a request. */
export async function bodyOf(message: IncomingMessage, limit: number = maxBody): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new AwsError("RequestEntityTooLarge", `The request is larger than ${limit} bytes`, 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An answer with its whole body. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
}

/** Sends an answer; to HEAD without its body. */
export function send(response: ServerResponse, { status, headers = {}, body = "" }: Answer): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const length = headers["content-length"] === undefined ? { "content-length": String(bytes.length) } : {};
  response.writeHead(status, { ...headers, ...length });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}

/** A request to the registry behind. */
export interface Onward {
  readonly method: string;
  /** `host:port`. */
  readonly host: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Nothing, bytes, or the request whose body is passed on. */
  readonly body?: Uint8Array | IncomingMessage | undefined;
}

const agent = new Agent({ keepAlive: true });

/** Sends a request on and returns the answer's head; its body must be read or dropped. */
export async function forward({ method, host, path, headers, body }: Onward): Promise<IncomingMessage> {
  const [hostname = "", port = "80"] = host.split(":");
  const onward = sendRequest({
    agent,
    hostname,
    port,
    method,
    path,
    headers: { ...headers, host } as Record<string, string>,
  });
  const answered = once(onward, "response") as Promise<[IncomingMessage]>;
  // Heard below; without this, an error while the body is passed on would end the process.
  answered.catch(() => undefined);
  try {
    if (body === undefined || body instanceof Uint8Array) onward.end(body);
    else {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (!onward.write(chunk)) await Promise.race([once(onward, "drain"), answered]);
      }
      onward.end();
    }
  } catch (error) {
    // The client has gone in the middle of its body.
    onward.destroy();
    throw error;
  }
  const [answer] = await answered;
  return answer;
}
