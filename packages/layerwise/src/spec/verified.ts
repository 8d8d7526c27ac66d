// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import type { Descriptor } from "./descriptor.ts";
import { startDigest } from "./digest.ts";

/** How an error names the bytes it speaks of. */
export interface VerifiedOptions {
  /** Where they come from, for example `registry.example/team/app`. */
  readonly source?: string | undefined;
}

/**
 * Passes bytes on and throws DIGEST_MISMATCH unless they are what their descriptor says.
 *
 * The chunk that makes the size complete is handed out only after the digest is checked, and superfluous bytes never:
 * whoever has seen as many bytes as the descriptor says has seen the right ones. No chunk is kept while the next is read.
 */
export async function* verified(
  stream: AsyncIterable<Uint8Array>,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  { source }: VerifiedOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const mismatch = (why: string) =>
    new LayerwiseError("DIGEST_MISMATCH", `could not read blob ${digest}${from(source)}: ${why}`, {
      details: { digest },
    });
  const running = startDigest();
  const check = () => {
    const found = running.digest();
    if (found !== digest) throw mismatch(`its digest is ${found}`);
  };
  let received = 0;
  for await (const chunk of stream) {
    if (chunk.length === 0) continue;
    received += chunk.length;
    if (received > size) throw mismatch(`it has more than the ${size} bytes that it should have`);
    running.update(chunk);
    if (received === size) check();
    yield chunk;
  }
  if (received < size) throw mismatch(`it has ${received} bytes and should have ${size}`);
  if (size === 0) check();
}

/** All bytes of a stream; REGISTRY_PROTOCOL if there are more than `maxBytes`. */
export async function readAll(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
  { source }: VerifiedOptions = {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of stream) {
    received += chunk.length;
    if (received > maxBytes) {
      throw new LayerwiseError(
        "REGISTRY_PROTOCOL",
        `could not read a document${from(source)}: it is longer than ${maxBytes} bytes`,
      );
    }
    chunks.push(chunk);
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

function from(source: string | undefined): string {
  return source === undefined ? "" : ` from ${source}`;
}
