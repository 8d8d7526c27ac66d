// SPDX-License-Identifier: Apache-2.0
import type { Emit } from "../event.ts";
import { type Chain, checkpointPositions } from "../plan/chain.ts";
import { gatherFiles } from "../plan/gather-files.ts";
import { historyOf } from "../plan/history-times.ts";
import { resumeConfig } from "../plan/resume-config.ts";
import type { CallOptions, Repository } from "../ports.ts";
import { chainConfig, type ImageLayer, locatedLayer } from "../produce/image.ts";
import { checkpointTag, encodeCheckpoint, encodeFilesManifest, filesMediaType, filesTag } from "../spec/checkpoint.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { encodeImageConfig, type ImageConfig } from "../spec/image-config.ts";
import type { LayerFiles } from "../spec/layer-files.ts";
import { encodeLayerFiles } from "../spec/layer-files-document.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { pushDocument, pushLayers } from "./push-blobs.ts";
import { saveArtifact } from "./save-artifact.ts";

/** Where checkpoints go and what they say of themselves. */
export interface SaveOptions extends CallOptions {
  readonly cache: Repository;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The files of layers that were read already, or are known otherwise; those that are read join them. */
  readonly listed: Map<Digest, LayerFiles>;
  readonly emit: Emit;
}

/** A chain whose layers are all there. */
export interface CompleteChain {
  readonly chain: Chain;
  /** The base's layers, then one a step. */
  readonly layers: readonly ImageLayer[];
  /** When the chain's layers were made, by position, RFC 3339. */
  readonly times: readonly string[];
  /** How many steps have checkpoints already. */
  readonly from: number;
  /** The config of the published image, for the end of a target's chain; undefined for other stages. */
  readonly published: { readonly descriptor: Descriptor; readonly bytes: Uint8Array } | undefined;
  /** Whether later builds may assemble layers on this chain, so that the files of its layers are wanted. */
  readonly wantsFiles: boolean;
}

/**
 * Saves a checkpoint after each step that a later build may continue from. Their layers are the image's own; what is
 * sent is a config and a manifest each, and a list of the layers' files where layers may be assembled on them.
 */
export async function saveCheckpoints(complete: CompleteChain, options: SaveOptions): Promise<void> {
  const { chain, layers, from } = complete;
  const { cache, emit, signal } = options;
  const positions = checkpointPositions(chain).filter((position) => position > from);
  const deepest = positions.at(-1);
  if (deepest === undefined) return;
  const below = layers.length - chain.steps.length;
  await pushLayers(layers.slice(0, below + deepest), { to: cache, emit, signal });
  for (const position of positions) await saveOne(complete, { position, below, ...options });
}

async function saveOne(
  complete: CompleteChain,
  { position, below, cache, version, now, listed, emit, signal }: SaveOptions & { position: number; below: number },
): Promise<void> {
  const { chain, published } = complete;
  const { step, key } = chain.steps[position - 1] as (typeof chain.steps)[number];
  const digest = key?.digest as NonNullable<typeof key>["digest"];
  const layers = complete.layers.slice(0, below + position);
  const isEnd = position === chain.steps.length && published !== undefined;
  const config = isEnd ? published : checkpointConfig(complete, { position, below });
  // Another repository than the image's does not have the published config yet.
  await pushDocument(config, { to: cache, signal });
  const continues = complete.wantsFiles && chain.steps[position]?.needsEngine === false;
  const files = continues ? await saveFiles(layers, { lower: below, cache, listed, emit, signal }) : undefined;
  const bytes = encodeCheckpoint({
    key: digest,
    instruction: step.text,
    created: now,
    version,
    layers: layers.map((layer) => layer.descriptor),
    config: config.descriptor,
    files,
  });
  const tag = checkpointTag(digest);
  await cache.pushManifest(tag, { mediaType: mediaTypes.oci.manifest, digest: digestOf(bytes), bytes }, { signal });
  emit({ kind: "checkpoint-saved", tag, instruction: step.text });
}

/**
 * A config that says only what instructions behind it depend on. Its history has the instructions as written: stages
 * that no image is published of must not show the values of their build arguments.
 */
function checkpointConfig(
  { chain, layers, times }: CompleteChain,
  { position, below }: { position: number; below: number },
): { descriptor: Descriptor; bytes: Uint8Array } {
  const diffIds = layers.slice(0, below + position).map((layer) => layer.diffId);
  const history = chain.steps.slice(0, position).map(({ step }, layer) => ({ createdBy: step.text, layer }));
  const shortened: Chain = { ...chain, history };
  const config: ImageConfig = {
    ...chainConfig(chain, { diffIds, times: times.slice(0, position), labels: new Map() }),
    author: undefined,
    config: resumeConfig((chain.steps[position - 1] as (typeof chain.steps)[number]).step.after),
    history: historyOf(shortened, times.slice(0, position)),
  };
  const bytes = encodeImageConfig(config);
  return { bytes, descriptor: { mediaType: mediaTypes.oci.config, digest: digestOf(bytes), size: bytes.length } };
}

/**
 * Saves what files a stack of layers holds, unless the cache knows. Layers whose files no document tells are read once.
 * Undefined if they cannot be read.
 */
async function saveFiles(
  layers: readonly ImageLayer[],
  { lower, cache, listed, emit, signal }: Pick<SaveOptions, "cache" | "listed" | "emit" | "signal"> & { lower: number },
): Promise<Descriptor | undefined> {
  const located = layers.map(locatedLayer);
  const around = { cache, known: undefined, listed, emit, signal };
  const base = await gatherFiles(located.slice(0, lower), { ...around, lower: 0 });
  if (base.kind === "files" && !base.isStored) await saveFilesOf(base.layers, { cache, signal });
  const all = await gatherFiles(located, { ...around, lower });
  if (all.kind === "unreadable") {
    emit({
      kind: "warning",
      message: `the files of the layers below could not be listed (${all.why}); later builds need an engine`,
    });
    return undefined;
  }
  return await saveFilesOf(all.layers, { cache, signal });
}

/** Saves the files document of a stack of layers under the stack's own tag. */
export async function saveFilesOf(
  layers: readonly LayerFiles[],
  { cache, signal }: { cache: Repository } & CallOptions,
): Promise<Descriptor> {
  const tag = filesTag(layers.map(({ diffId }) => diffId));
  const document = encodeLayerFiles(layers);
  return await saveArtifact(
    { tag, mediaType: filesMediaType, document, manifest: encodeFilesManifest },
    { cache, signal },
  );
}
