// SPDX-License-Identifier: Apache-2.0
import { promisify } from "node:util";
import zlib, { constants, crc32 } from "node:zlib";

/** Compresses a stream to one gzip member. */
export interface GzipWriter {
  /** Takes bytes; waits when compression or the receiver falls behind. */
  write(chunk: Uint8Array): Promise<void>;
  /** Compresses what is left and ends the member. */
  end(): Promise<void>;
}

/** Bytes that are compressed at a time; larger blocks gain less than 0.1 %. */
const blockBytes = 512 * 1024;

/** How far a block may refer back into the one before it (RFC 1951, section 2). */
const windowBytes = 32 * 1024;

/** Blocks that are compressed at once: as many as libuv has threads. */
const blocksAtOnce = 4;

/** The level that registries and runtimes are used to; higher ones gain 0.4 % for twice the time. */
const level = 6;

const deflateRaw = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);

/**
 * Starts compressing, several blocks at once on libuv's threads. The bytes depend on the input and on Node's zlib, not
 * on chunks, threads or time: no name and no time is in the header (RFC 1952).
 *
 * @param onData gets the compressed bytes in order
 */
export function startGzip(onData: (chunk: Uint8Array) => Promise<void>): GzipWriter {
  let block = Buffer.allocUnsafe(blockBytes);
  let filled = 0;
  let dictionary: Buffer | undefined;
  let checksum = 0;
  let length = 0;
  const running: Promise<Buffer>[] = [];
  let started = false;

  async function drainTo(limit: number): Promise<void> {
    if (!started) {
      started = true;
      await onData(header);
    }
    while (running.length > limit) await onData(await (running.shift() as Promise<Buffer>));
  }

  function compressBlock(): void {
    const input = block.subarray(0, filled);
    const options = { level, finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary === undefined ? {} : { dictionary }) };
    const compressing = deflateRaw(input, options);
    // Awaited in order by drainTo; until then a failure must not count as unhandled.
    compressing.catch(() => undefined);
    running.push(compressing);
    dictionary = Buffer.from(input.subarray(Math.max(0, filled - windowBytes)));
    block = Buffer.allocUnsafe(blockBytes);
    filled = 0;
  }

  async function write(chunk: Uint8Array): Promise<void> {
    checksum = crc32(chunk, checksum);
    length += chunk.length;
    for (let at = 0; at < chunk.length; ) {
      const take = Math.min(blockBytes - filled, chunk.length - at);
      block.set(chunk.subarray(at, at + take), filled);
      filled += take;
      at += take;
      if (filled < blockBytes) continue;
      compressBlock();
      await drainTo(blocksAtOnce);
    }
  }

  async function end(): Promise<void> {
    if (filled > 0) compressBlock();
    await drainTo(0);
    const trailer = Buffer.alloc(lastBlock.length + 8);
    lastBlock.copy(trailer);
    trailer.writeUInt32LE(checksum, lastBlock.length);
    trailer.writeUInt32LE(length % 2 ** 32, lastBlock.length + 4);
    await onData(trailer);
  }

  return { write, end };
}

/** Deflate, no flags, no time, no extra flags, unknown system. */
const header: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

/** An empty final block (RFC 1951, section 3.2.6), since the blocks before it all leave the stream open. */
const lastBlock: Buffer = Buffer.of(0x03, 0x00);
