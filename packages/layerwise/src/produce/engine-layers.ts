// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import type { CallOptions, EngineResult, Repository, Spool } from "../ports.ts";
import type { Digest } from "../spec/digest.ts";
import { decodeImageConfig, type ImageConfig } from "../spec/image-config.ts";
import { decodeManifest } from "../spec/manifest.ts";
import { familyOf, type MediaFamily } from "../spec/media-type.ts";
import { readAll } from "../spec/verified.ts";
import type { ImageLayer } from "./image.ts";
import { type ArchivedLayer, readImageArchive } from "./image-archive.ts";
import { compressedLayer, madeLayer } from "./made-layer.ts";

/** An image as an engine made it. */
export interface EngineImage {
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly layers: readonly ImageLayer[];
  /** The family of its manifest; undefined if it came without one. */
  readonly family: MediaFamily | undefined;
}

/** Most bytes of a config that are read; real ones have some kilobytes. */
const maxConfigBytes = 4 * 1024 * 1024;

interface Taking extends CallOptions {
  readonly spool: Spool;
  /** Layers that are somewhere already, by diff ID. */
  readonly known: ReadonlyMap<Digest, ImageLayer>;
  /** Where the engine pushed to, if it did. */
  readonly pushedTo: Repository | undefined;
}

/** Takes over what an engine made: known layers stay where they are, new ones are compressed into the spool. */
export async function takeEngineImage(result: EngineResult, taking: Taking): Promise<EngineImage> {
  if (result.kind === "pushed") return await takePushed(result.digest, taking);
  try {
    return await takeArchive(result.open(), taking);
  } finally {
    await result.release();
  }
}

async function takePushed(digest: Digest, { pushedTo, known, signal }: Taking): Promise<EngineImage> {
  const repository = pushedTo as Repository;
  const source = `${repository.name}@${digest}`;
  const stored = await repository.fetchManifest(digest, { signal });
  if (stored === undefined) {
    throw new LayerwiseError("REGISTRY_NOT_FOUND", `could not find the image that the engine pushed as ${source}`);
  }
  const manifest = decodeManifest(stored.bytes, { mediaType: stored.mediaType, source });
  const configBytes = await readAll(repository.fetchBlob(manifest.config, { signal }), maxConfigBytes);
  const config = decodeImageConfig(configBytes, source);
  const layers = manifest.layers.map((descriptor, index): ImageLayer => {
    const diffId = config.diffIds[index] as Digest;
    return known.get(diffId) ?? { diffId, descriptor, source: { kind: "repository", repository } };
  });
  return { config, configBytes, layers, family: familyOf(stored.mediaType) };
}

async function takeArchive(archive: AsyncIterable<Uint8Array>, { spool, known }: Taking): Promise<EngineImage> {
  const knownBytes = new Set<Digest>([...known].flatMap(([diffId, { descriptor }]) => [diffId, descriptor.digest]));
  const image = await readImageArchive(archive, { spool, isKnown: (digest) => knownBytes.has(digest) });
  const config = decodeImageConfig(image.configBytes, "the engine's image");
  if (config.diffIds.length !== image.layers.length) throw mismatch("its config and its layers disagree");
  const made = new Map<Digest, ImageLayer>();
  const digests = new Map<Digest, Digest>();
  for (const [index, layer] of image.layers.entries()) {
    const diffId = config.diffIds[index] as Digest;
    if ((digests.get(diffId) ?? layer.digest) !== layer.digest) throw notTheLayer(diffId);
    digests.set(diffId, layer.digest);
    if (known.has(diffId)) await layer.file?.remove();
    // A layer that occurs twice is one file in the archive, so the second one must not remove it.
    else if (!made.has(diffId)) made.set(diffId, await layerOf(layer, { diffId, spool }));
  }
  const layers = config.diffIds.map((diffId) => known.get(diffId) ?? (made.get(diffId) as ImageLayer));
  return { config, configBytes: image.configBytes, layers, family: undefined };
}

async function layerOf(
  { digest, size, isGzip, file }: ArchivedLayer,
  { diffId, spool }: { diffId: Digest; spool: Spool },
): Promise<ImageLayer> {
  if (file === undefined) throw mismatch(`the layer ${diffId} is missing`);
  if (isGzip) return madeLayer(file, { diffId, digest, size });
  if (digest !== diffId) throw notTheLayer(diffId);
  const layer = await compressedLayer(file.open(), spool);
  await file.remove();
  return layer;
}

function notTheLayer(diffId: Digest): LayerwiseError {
  return mismatch(`the layer ${diffId} is not what its config says`);
}

function mismatch(why: string): LayerwiseError {
  return new LayerwiseError("ENGINE_UNSUPPORTED", `could not read the image that the engine made: ${why}`, {
    hint: "report this with the engine's version",
  });
}
