// SPDX-License-Identifier: Apache-2.0
import { LabError } from "../host/lab-error.ts";

/** Reads a stream in pieces of wanted sizes. */
export class ByteSource {
  /** Bytes read so far. */
  position = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #current: Buffer = Buffer.alloc(0);

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes. */
  async take(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.chunks(this.position + size)) parts.push(part);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** The bytes up to a position, as they come. */
  async *chunks(end: number): AsyncGenerator<Buffer> {
    while (this.position < end) {
      if (this.#current.length === 0 && !(await this.#fill())) {
        throw new LabError("could not read a stream: it is cut off");
      }
      const part = this.#current.subarray(0, end - this.position);
      this.#current = this.#current.subarray(part.length);
      this.position += part.length;
      yield part;
    }
  }

  /** Passes over so many bytes. */
  async skip(size: number): Promise<void> {
    for await (const _ of this.chunks(this.position + size));
  }

  /** Reads to the end, and says whether there was anything but zeros. */
  async rest(): Promise<{ readonly nonZero: boolean }> {
    let nonZero = false;
    do {
      nonZero ||= this.#current.some((byte) => byte !== 0);
      this.position += this.#current.length;
    } while (await this.#fill());
    return { nonZero };
  }

  async #fill(): Promise<boolean> {
    const next = await this.#chunks.next();
    this.#current = next.done
      ? Buffer.alloc(0)
      : Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
    return !next.done;
  }
}
