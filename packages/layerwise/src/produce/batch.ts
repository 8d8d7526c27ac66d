// SPDX-License-Identifier: Apache-2.0

/** Bytes of headers and small files that are gathered before they are handed on. */
const batchBytes = 256 * 1024;

/** A tar block's worth of padding. */
export const zeros: Uint8Array = new Uint8Array(512);

/** Gathers small pieces of bytes. */
export interface Batch {
  add(bytes: Uint8Array): void;
  isFull(): boolean;
  isEmpty(): boolean;
  /** What was gathered; the batch is empty then. */
  take(): Uint8Array;
}

/** Starts an empty batch. */
export function startBatch(): Batch {
  let parts: Uint8Array[] = [];
  let length = 0;
  return {
    add(bytes) {
      // Readers may use their buffer again for the next chunk.
      parts.push(bytes.length < batchBytes ? Uint8Array.prototype.slice.call(bytes) : bytes);
      length += bytes.length;
    },
    isFull: () => length >= batchBytes,
    isEmpty: () => length === 0,
    take() {
      const whole = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
      parts = [];
      length = 0;
      return whole;
    },
  };
}
