// SPDX-License-Identifier: Apache-2.0
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib, { createGunzip, gunzipSync, gzipSync } from "node:zlib";
import { LayerwiseError } from "../error.ts";
import type { LayerCompression } from "./media-type.ts";

/** Whether this Node can read layers that are compressed in this way; zstd needs 22.15. */
export function canDecompress(compression: LayerCompression): boolean {
  return compression !== "zstd" || "createZstdDecompress" in zlib;
}

/** The uncompressed bytes of a layer, in constant memory. The caller must have asked `canDecompress`. */
export async function* decompressed(
  source: AsyncIterable<Uint8Array>,
  compression: LayerCompression,
): AsyncGenerator<Uint8Array> {
  if (compression === "none") {
    yield* source;
    return;
  }
  const stream = compression === "gzip" ? createGunzip({ chunkSize }) : zstdStream();
  const fed = pipeline(Readable.from(source, { objectMode: false }), stream);
  // The pipeline's error reaches the reader through the stream; here it only must not be unhandled.
  fed.catch(() => undefined);
  for await (const chunk of stream) yield chunk as Uint8Array;
  await fed;
}

/** A file that is not what it has to be to be unpacked here. */
export class CompressionError extends Error {}

/**
 * The uncompressed bytes of a file that one reader may take whole and another refuse if something follows its
 * compressed part.
 *
 * @throws CompressionError if the file is damaged, or something follows
 */
export async function* gunzippedWhole(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = createGunzip({ chunkSize });
  let length = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      length += chunk.length;
      // The stream keeps what it has not read yet, and readers may use their buffer again.
      yield Uint8Array.from(chunk);
    }
  }
  const fed = pipeline(Readable.from(counted(), { objectMode: false }), stream);
  fed.catch(() => undefined);
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
    await fed;
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw new CompressionError(error.message, { cause: error });
  }
  if (stream.bytesWritten !== length) throw new CompressionError("something follows the compressed data");
}

/** https://nodejs.org/docs/latest-v20.x/api/zlib.html#constants */
export function isZlibError(error: unknown): error is Error {
  return (error as NodeJS.ErrnoException).code?.startsWith("Z_") === true;
}

/** Compresses a small document; the bytes carry no name and no time. */
export function compressDocument(bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes, { level: 9 });
}

/** Reads what {@link compressDocument} wrote; REGISTRY_PROTOCOL if it is damaged or longer than `maxBytes`. */
export function decompressDocument(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new LayerwiseError("REGISTRY_PROTOCOL", `could not decompress a document: ${why}`, { cause });
  }
}

const chunkSize = 256 * 1024;

function zstdStream(): NodeJS.ReadWriteStream {
  const { createZstdDecompress } = zlib as unknown as { createZstdDecompress: () => NodeJS.ReadWriteStream };
  return createZstdDecompress();
}
