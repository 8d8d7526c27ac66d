// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import type { CallOptions } from "../../ports.ts";
import type { Descriptor } from "../../spec/descriptor.ts";
import type { Digest } from "../../spec/digest.ts";
import { verified } from "../../spec/verified.ts";
import type { StreamedAnswer } from "./http-message.ts";
import { NoAnswerError } from "./network-error.ts";
import { delayBefore } from "./retry.ts";
import type { RepositoryRequest, Session } from "./session.ts";

/** Whether a blob is in the repository. */
export async function hasBlob(session: Session, digest: Digest, { signal }: CallOptions = {}): Promise<boolean> {
  const action = `look for blob ${digest} in ${session.name}`;
  const request: RepositoryRequest = { method: "HEAD", target: `blobs/${digest}`, action, signal };
  const answer = await session.send(request);
  if (answer.status === 404) return false;
  if (answer.status !== 200) throw session.errorOf(answer, request);
  return true;
}

/**
 * A blob's bytes, verified. A broken connection is taken up again where it broke.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-blobs
 */
export function fetchBlob(session: Session, descriptor: Descriptor, call: CallOptions = {}): AsyncIterable<Uint8Array> {
  return verified(download(session, descriptor, call), descriptor, { source: session.name });
}

/** Bytes after which a connection that breaks again counts as the first failure: there was progress. */
const progress = 1024 * 1024;

async function* download(session: Session, descriptor: Descriptor, call: CallOptions): AsyncGenerator<Uint8Array> {
  const { policy, wait } = session.transport.retryRules(call.signal);
  let received = 0;
  let failures = 0;
  let failedAt = 0;
  for (;;) {
    try {
      for await (const chunk of await open(session, { descriptor, from: received, ...call })) {
        received += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      // The end of the answer was lost, not of the blob.
      if (received >= descriptor.size) return;
      // Requests that got no answer at all have been repeated already.
      if (!(error instanceof BrokenBody)) throw error;
      failures = received - failedAt >= progress ? 1 : failures + 1;
      failedAt = received;
      if (failures >= policy.attempts) throw error.reason;
      // An aborted wait ends at the next request, which says what was cancelled.
      await wait(delayBefore(failures + 1, policy, Math.random()), call).catch(() => undefined);
    }
  }
}

/** The connection broke in the middle of a body. */
class BrokenBody extends Error {
  readonly reason: NoAnswerError;

  constructor(reason: NoAnswerError) {
    super(reason.message);
    this.reason = reason;
  }
}

interface Piece extends CallOptions {
  readonly descriptor: Descriptor;
  /** The first byte that is wanted. */
  readonly from: number;
}

async function open(session: Session, { descriptor, from, signal }: Piece): Promise<AsyncIterable<Uint8Array>> {
  const { digest } = descriptor;
  const action = `fetch blob ${digest} from ${session.name}`;
  const headers = from === 0 ? {} : { range: `bytes=${from}-` };
  const request: RepositoryRequest = { method: "GET", target: `blobs/${digest}`, action, headers, signal };
  const answer = await session.stream(request);
  const { body } = answer;
  if (body === undefined) throw session.errorOf(answer, request);
  if (answer.status === 200) return markBroken(withoutStart(body, from));
  if (firstByteOf(answer) === from) return markBroken(body);
  throw new LayerwiseError("REGISTRY_PROTOCOL", `could not ${action}: it answered with another range than asked for`);
}

/** A registry that knows no ranges sends the blob from its start. */
async function* withoutStart(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of body) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

async function* markBroken(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw error instanceof NoAnswerError ? new BrokenBody(error) : error;
  }
}

function firstByteOf({ headers }: StreamedAnswer): number | undefined {
  const first = /^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1];
  return first === undefined ? undefined : Number(first);
}
