// SPDX-License-Identifier: Apache-2.0
import { hasCode, isLayerwiseError, LayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import type { CallOptions, Repository } from "../ports.ts";
import { decodeFilesManifest, filesTag } from "../spec/checkpoint.ts";
import { canDecompress, decompressDocument, decompressed, isZlibError } from "../spec/compression.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { type Digest, startDigest } from "../spec/digest.ts";
import { collectLayerFiles, type LayerFiles } from "../spec/layer-files.ts";
import { decodeLayerFiles } from "../spec/layer-files-document.ts";
import { compressionOf } from "../spec/media-type.ts";
import { TarError } from "../spec/tar-reader.ts";
import { readAll } from "../spec/verified.ts";

/** A layer of an image and where its bytes are. */
export interface LocatedLayer {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
  readonly from: Pick<Repository, "fetchBlob">;
}

/** The files of a stack of layers. */
export type GatheredFiles =
  | {
      readonly kind: "files";
      readonly layers: readonly LayerFiles[];
      /** Whether the cache has them all in one document already. */
      readonly isStored: boolean;
    }
  | { readonly kind: "unreadable"; readonly why: string };

/** Most bytes of a files document, compressed and not; a million files are about 30 and 90 MB. */
const maxDocumentBytes = 64 * 1024 * 1024;
const maxDocumentText = 512 * 1024 * 1024;

/**
 * Finds out what files a stack of layers holds: from the cache's document, else by reading the layers themselves once,
 * those whose files a document of a lower stack does not tell.
 *
 * @param known where a checkpoint says its document is
 * @param lower how many of the lowest layers may have a document of their own: the base's
 * @param listed layers whose files are known already; those that are read join them
 */
export async function gatherFiles(
  layers: readonly LocatedLayer[],
  options: {
    readonly cache: Repository | undefined;
    readonly known: Descriptor | undefined;
    readonly lower: number;
    readonly listed?: Map<Digest, LayerFiles> | undefined;
    readonly emit: Emit;
  } & CallOptions,
): Promise<GatheredFiles> {
  const { cache, known, lower, listed, emit, signal } = options;
  const diffIds = layers.map((layer) => layer.diffId);
  if (layers.length === 0) return { kind: "files", layers: [], isStored: true };
  const stored = cache && (await storedFiles(cache, { diffIds, known, emit, signal }));
  if (stored !== undefined) return { kind: "files", layers: stored, isStored: true };
  const below = diffIds.slice(0, lower);
  const isPart = lower > 0 && lower < layers.length;
  const found =
    (isPart && cache && (await storedFiles(cache, { diffIds: below, known: undefined, emit, signal }))) || [];
  const read: LayerFiles[] = [...found];
  for (const layer of layers.slice(found.length)) {
    const files = listed?.get(layer.diffId) ?? (await filesOfLayer(layer, { signal }));
    if (typeof files === "string") return { kind: "unreadable", why: files };
    listed?.set(layer.diffId, files);
    read.push(files);
  }
  return { kind: "files", layers: read, isStored: false };
}

/** Reads one layer and lists its files. A text says why it cannot be read. */
async function filesOfLayer(
  { diffId, descriptor, from }: LocatedLayer,
  { signal }: CallOptions,
): Promise<LayerFiles | string> {
  const compression = compressionOf(descriptor.mediaType);
  if (compression === undefined || !canDecompress(compression)) return `the media type ${descriptor.mediaType}`;
  const collector = collectLayerFiles();
  const digester = startDigest();
  try {
    for await (const chunk of decompressed(from.fetchBlob(descriptor, { signal }), compression)) {
      digester.update(chunk);
      collector.write(chunk);
    }
    const collected = collector.end();
    return digester.digest() === diffId ? { diffId, ...collected } : `${descriptor.digest} is not what its config says`;
  } catch (error) {
    if (error instanceof TarError || isZlibError(error)) return `${descriptor.digest}: ${error.message}`;
    if (hasCode(error, "DIGEST_MISMATCH")) return (error as Error).message;
    throw error;
  }
}

interface Stored extends CallOptions {
  readonly diffIds: readonly Digest[];
  readonly known: Descriptor | undefined;
  readonly emit: Emit;
}

/** The cache's document, where a checkpoint says that it is, else under the tag of the layers. */
async function storedFiles(cache: Repository, { known, ...stored }: Stored): Promise<LayerFiles[] | undefined> {
  const tag = filesTag(stored.diffIds);
  const reading = { ...stored, tag, source: `${cache.name}:${tag}` };
  const found = known && (await readFiles(cache, { ...reading, find: async () => known }));
  return found ?? (await readFiles(cache, { ...reading, find: async () => await filesDescriptor(cache, reading) }));
}

interface Reading extends Omit<Stored, "known"> {
  readonly tag: string;
  readonly source: string;
  readonly find: () => Promise<Descriptor | undefined>;
}

async function readFiles(
  cache: Repository,
  { diffIds, tag, source, find, emit, signal }: Reading,
): Promise<LayerFiles[] | undefined> {
  const refuse = (why: string): undefined => void emit({ kind: "checkpoint-refused", tag, why });
  try {
    const descriptor = await find();
    if (descriptor === undefined) return undefined;
    if (descriptor.size > maxDocumentBytes) return refuse(`it is longer than ${maxDocumentBytes} bytes`);
    const bytes = await readAll(cache.fetchBlob(descriptor, { signal }), maxDocumentBytes);
    const layers = decodeLayerFiles(decompressDocument(bytes, maxDocumentText), source);
    const isSame = layers.length === diffIds.length && layers.every(({ diffId }, index) => diffId === diffIds[index]);
    return isSame ? layers : refuse("it lists the files of other layers");
  } catch (error) {
    // A document that is damaged or gone is made again from the layers.
    const isGone =
      isLayerwiseError(error) && ["REGISTRY_NOT_FOUND", "REGISTRY_PROTOCOL", "DIGEST_MISMATCH"].includes(error.code);
    if (isGone) return refuse(error.message);
    throw error;
  }
}

async function filesDescriptor(
  cache: Repository,
  { tag, source, signal }: { tag: string; source: string } & CallOptions,
): Promise<Descriptor | undefined> {
  const stored = await cache.fetchManifest(tag, { signal });
  if (stored === undefined) return undefined;
  const descriptor = decodeFilesManifest(stored.bytes, { mediaType: stored.mediaType, source });
  if (descriptor !== undefined) return descriptor;
  throw new LayerwiseError(
    "REGISTRY_PROTOCOL",
    `could not read the layer files document of ${source}: it is another manifest`,
  );
}
