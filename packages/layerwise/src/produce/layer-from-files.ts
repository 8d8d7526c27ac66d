// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import type { LayerFile } from "../plan/file-tree.ts";
import type { BuildContext, CallOptions, Spool } from "../ports.ts";
import { startDigest } from "../spec/digest.ts";
import { encodeTarHeader, tarEnd, tarPadding } from "../spec/tar-header.ts";
import type { ImageLayer } from "./image.ts";
import { compressedLayer } from "./made-layer.ts";

/** Bytes of headers and small files that are gathered before they are handed on. */
const batchBytes = 256 * 1024;

/**
 * Writes a layer: files in order, contents from the build context, compressed on the way to the spool.
 *
 * @throws CONTEXT_CHANGED if a file is no longer what it was when the plan was made
 */
export async function layerFromFiles(
  files: readonly LayerFile[],
  { context, spool, signal }: { context: BuildContext; spool: Spool } & CallOptions,
): Promise<ImageLayer> {
  return await compressedLayer(tarOf(files, { context, signal }), spool);
}

/** The layer's tar archive: the same files give the same bytes. */
export async function* tarOf(
  files: readonly LayerFile[],
  { context, signal }: { context: BuildContext } & CallOptions,
): AsyncGenerator<Uint8Array> {
  const batch = startBatch();
  for (const file of files) {
    signal?.throwIfAborted();
    if (file.kind === "document") {
      batch.add(documentBytes(file));
      if (batch.isFull()) yield batch.take();
      continue;
    }
    const size = file.kind === "file" ? file.from.size : 0;
    batch.add(encodeTarHeader({ ...file, size, target: "target" in file ? file.target : undefined }));
    if (file.kind === "file") {
      for await (const chunk of verifiedContent(file, { context, signal })) {
        batch.add(chunk);
        if (batch.isFull()) yield batch.take();
      }
      batch.add(zeros.subarray(0, tarPadding(size)));
    }
    if (batch.isFull()) yield batch.take();
  }
  batch.add(tarEnd);
  yield batch.take();
}

const zeros: Uint8Array = new Uint8Array(512);

/** Header, content and padding of a file whose content the Dockerfile holds. */
function documentBytes({ text, ...file }: Extract<LayerFile, { kind: "document" }>): Uint8Array {
  const content = Buffer.from(text, "utf8");
  const size = content.length;
  return Buffer.concat([encodeTarHeader({ ...file, kind: "file", size }), content, Buffer.alloc(tarPadding(size))]);
}

type ContentFile = Extract<LayerFile, { kind: "file" }>;

/** What goes into the layer must be what its key was made from. */
async function* verifiedContent(
  { from, digest }: ContentFile,
  { context, signal }: { context: BuildContext } & CallOptions,
): AsyncGenerator<Uint8Array> {
  const digester = startDigest();
  let size = 0;
  for await (const chunk of context.open(from, { signal })) {
    size += chunk.length;
    if (size > from.size) throw changed(from.path);
    digester.update(chunk);
    yield chunk;
  }
  if (size !== from.size || digester.digest() !== digest) throw changed(from.path);
}

function changed(path: string): LayerwiseError {
  return new LayerwiseError("CONTEXT_CHANGED", `could not make a layer with ${path}: it changed during the build`, {
    hint: "build again when nothing writes into the build context, or name the file in the ignore file",
  });
}

interface Batch {
  add(bytes: Uint8Array): void;
  isFull(): boolean;
  take(): Uint8Array;
}

function startBatch(): Batch {
  let parts: Uint8Array[] = [];
  let length = 0;
  return {
    add(bytes) {
      // Readers may use their buffer again for the next chunk.
      parts.push(bytes.length < batchBytes ? Uint8Array.prototype.slice.call(bytes) : bytes);
      length += bytes.length;
    },
    isFull: () => length >= batchBytes,
    take() {
      const whole = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
      parts = [];
      length = 0;
      return whole;
    },
  };
}
