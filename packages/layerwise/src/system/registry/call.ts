// SPDX-License-Identifier: Apache-2.0
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { SilenceError } from "./network-error.ts";

/** Milliseconds for a connection and its TLS handshake. */
export const connectTimeout = 15_000;

/** How a call is carried out. */
export interface CallTerms {
  /** What is sent; the request's headers say its length. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
  /** Milliseconds until the head of the answer, after the last byte was sent. */
  readonly answerTimeout: number;
  /** The one that the request was opened with. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends an opened request and waits for the head of its answer. Its body must be read by {@link piecesOf}, or destroyed.
 *
 * Throws a {@link SilenceError}, the body's own error, or the error of Node's HTTP client.
 */
export function call(request: ClientRequest, { body, answerTimeout, signal }: CallTerms): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const connecting = setTimeout(() => request.destroy(new SilenceError("connect")), connectTimeout);
    let answering: NodeJS.Timeout | undefined;
    // A request that has no connection yet ends only once it gets one.
    const aborted = () => reject(signal?.reason);
    if (signal?.aborted === true) aborted();
    signal?.addEventListener("abort", aborted);
    const settled = () => {
      signal?.removeEventListener("abort", aborted);
      clearTimeout(connecting);
      clearTimeout(answering);
    };
    request.on("socket", (socket) => whenConnected(request, { socket, done: () => clearTimeout(connecting) }));
    request.on("finish", () => {
      answering = setTimeout(() => request.destroy(new SilenceError("answer")), answerTimeout);
    });
    request.on("response", (response) => {
      settled();
      // Errors reach whoever reads the body; one that comes before or after must not end the process.
      response.on("error", () => undefined);
      // A connection on which the request has not ended is of no use to another one.
      response.on("close", () => {
        if (!request.writableFinished) request.destroy();
      });
      resolve(response);
    });
    // After the answer's head an error is the body's, and has a second report here.
    request.on("error", reject);
    request.on("close", settled);
    send(request, body).catch((error: Error) => request.destroy(error));
  });
}

function whenConnected(request: ClientRequest, { socket, done }: { socket: Socket; done: () => void }): void {
  const { encrypted = false } = socket as Partial<TLSSocket>;
  if (request.reusedSocket || !(encrypted || socket.connecting)) done();
  else socket.once(encrypted ? "secureConnect" : "connect", done);
}

/** Who has answered already, or is gone, gets no more. */
async function send(request: ClientRequest, body: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  let isAnswered = false;
  request.once("response", () => {
    isAnswered = true;
  });
  for await (const chunk of body ?? []) {
    if (isAnswered || request.destroyed) return;
    if (!request.write(chunk)) await drained(request);
  }
  request.end();
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "response"]) request.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "response"]) request.on(event, done);
  });
}

/**
 * The pieces of an answer's body. Whoever stops before its end closes the connection.
 *
 * @param silence milliseconds that may pass while the reader waits for a piece; a {@link SilenceError} follows
 */
export async function* piecesOf(response: IncomingMessage, silence: number): AsyncGenerator<Uint8Array> {
  let isWaiting = true;
  const timer = setTimeout(() => {
    if (isWaiting) response.destroy(new SilenceError("body"));
  }, silence);
  try {
    for await (const piece of response as AsyncIterable<Uint8Array>) {
      isWaiting = false;
      yield piece;
      isWaiting = true;
      timer.refresh();
    }
  } finally {
    clearTimeout(timer);
  }
}
