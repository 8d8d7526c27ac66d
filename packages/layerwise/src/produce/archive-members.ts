// SPDX-License-Identifier: Apache-2.0
import type { Archive, LayerFile } from "../plan/file-tree.ts";
import type { BuildContext, CallOptions } from "../ports.ts";
import { CompressionError, gunzippedWhole } from "../spec/compression.ts";
import { startDigest } from "../spec/digest.ts";
import { encodeTarHeader, tarPadding } from "../spec/tar-header.ts";
import { startTarReader, TarError } from "../spec/tar-reader.ts";
import { startBatch, zeros } from "./batch.ts";
import { contextChanged } from "./context-changed.ts";

/** A file of a layer whose content is in an archive. */
export type MemberFile = Extract<LayerFile, { kind: "member" }>;

interface Source extends CallOptions {
  readonly archive: Archive;
  readonly context: BuildContext;
}

/**
 * Writes files out of one archive as entries of a layer, in the order of the archive, which is read once and not kept.
 *
 * @throws CONTEXT_CHANGED if the archive is no longer what it was when the plan was made
 */
export async function* membersTar(files: readonly MemberFile[], source: Source): AsyncGenerator<Uint8Array> {
  const { archive } = source;
  const wanted = new Map(files.map((file) => [file.index, file]));
  const batch = startBatch();
  let index = -1;
  const reader = startTarReader((entry) => {
    index += 1;
    const file = wanted.get(index);
    if (file === undefined) return undefined;
    if (entry.kind !== "file" || entry.size !== file.size) throw contextChanged(archive.file.path);
    wanted.delete(index);
    batch.add(encodeTarHeader({ ...file, kind: "file" }));
    return {
      data: (chunk) => batch.add(chunk),
      end: () => batch.add(zeros.subarray(0, tarPadding(entry.size))),
    };
  });
  for await (const chunk of unpacked(source)) {
    try {
      reader.write(chunk);
    } catch (error) {
      throw error instanceof TarError ? contextChanged(archive.file.path, error) : error;
    }
    if (batch.isFull()) yield batch.take();
  }
  if (wanted.size > 0) throw contextChanged(archive.file.path);
  yield batch.take();
}

/** The archive's bytes, uncompressed. What goes into the layer must be what its key was made from. */
async function* unpacked({ archive, context, signal }: Source): AsyncGenerator<Uint8Array> {
  const { file, digest, compression } = archive;
  const digester = startDigest();
  async function* digested(): AsyncGenerator<Uint8Array> {
    for await (const chunk of context.open(file, { signal })) {
      digester.update(chunk);
      yield chunk;
    }
  }
  try {
    yield* compression === "gzip" ? gunzippedWhole(digested()) : digested();
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
    throw contextChanged(file.path, error);
  }
  if (digester.digest() !== digest) throw contextChanged(file.path);
}
