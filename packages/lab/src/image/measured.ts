// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

/** What a stream turned out to be; known when it has been read. */
export interface Measure {
  digest: string;
  size: number;
}

/** Passes a stream on and measures it. */
export async function* measured(bytes: AsyncIterable<Uint8Array>, measure: Measure): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  measure.size = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    measure.size += chunk.length;
    yield chunk;
  }
  measure.digest = `sha256:${hash.digest("hex")}`;
}
