// SPDX-License-Identifier: Apache-2.0
import type { Archive, LayerFile } from "../plan/file-tree.ts";
import type { BuildContext, CallOptions, Spool } from "../ports.ts";
import { startDigest } from "../spec/digest.ts";
import { encodeTarHeader, tarEnd, tarPadding } from "../spec/tar-header.ts";
import { type MemberFile, membersTar } from "./archive-members.ts";
import { startBatch, zeros } from "./batch.ts";
import { contextChanged } from "./context-changed.ts";
import type { ImageLayer } from "./image.ts";
import { compressedLayer } from "./made-layer.ts";

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
  for (const [index, file] of files.entries()) {
    if (file.kind === "member") {
      // All of an archive follow each other, in its order.
      if (!isMemberOf(files[index - 1], file.archive)) {
        if (!batch.isEmpty()) yield batch.take();
        const members = files.filter((one): one is MemberFile => isMemberOf(one, file.archive));
        yield* membersTar(members, { archive: file.archive, context, signal });
      }
      continue;
    }
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

function isMemberOf(file: LayerFile | undefined, archive: Archive): file is MemberFile {
  return file?.kind === "member" && file.archive.file.path === archive.file.path;
}

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
    if (size > from.size) throw contextChanged(from.path);
    digester.update(chunk);
    yield chunk;
  }
  if (size !== from.size || digester.digest() !== digest) throw contextChanged(from.path);
}
