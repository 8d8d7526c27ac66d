// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../plan/chain.ts";
import type { LocatedLayer } from "../plan/gather-files.ts";
import { historyOf, layerTimes } from "../plan/history-times.ts";
import type { Recalled } from "../plan/recall.ts";
import type { Blob, Repository } from "../ports.ts";
import type { Checkpoint } from "../spec/checkpoint.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { encodeImageConfig, type ImageConfig, orderedRuntime } from "../spec/image-config.ts";
import { compressionOf, layerTypeIn, type MediaFamily, mediaTypes } from "../spec/media-type.ts";

/** A layer of an image to publish, and where its bytes can be had. */
export interface ImageLayer {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
  readonly source:
    | { readonly kind: "repository"; readonly repository: Repository }
    /** Made in this build; its bytes are on this machine. */
    | { readonly kind: "made"; readonly blob: Blob };
}

/** A layer with the place that its bytes are read from. */
export function locatedLayer({ diffId, descriptor, source }: ImageLayer): LocatedLayer {
  const from = source.kind === "repository" ? source.repository : { fetchBlob: () => source.blob.open() };
  return { diffId, descriptor, from };
}

/** An image that is complete but for its way into a repository. */
export interface Image {
  readonly family: MediaFamily;
  readonly config: ImageConfig;
  readonly configDescriptor: Descriptor;
  readonly configBytes: Uint8Array;
  readonly layers: readonly ImageLayer[];
}

/** Layers that lie in a repository already. */
export function storedLayers(
  repository: Repository,
  { layers, diffIds }: { layers: readonly Descriptor[]; diffIds: readonly Digest[] },
): readonly ImageLayer[] {
  const source = { kind: "repository", repository } as const;
  return layers.map((descriptor, index) => ({ descriptor, diffId: diffIds[index] as Digest, source }));
}

/** Joins a config and layers to an image in one family of media types; zstd exists only in OCI's. */
export function imageOf(
  family: MediaFamily,
  {
    config,
    layers,
    configBytes,
  }: { config: ImageConfig; layers: readonly ImageLayer[]; configBytes?: Uint8Array | undefined },
): Image {
  const hasZstd = layers.some(({ descriptor }) => compressionOf(descriptor.mediaType) === "zstd");
  const used = hasZstd ? "oci" : family;
  const bytes = configBytes ?? encodeImageConfig(config);
  return {
    family: used,
    config,
    configBytes: bytes,
    configDescriptor: { mediaType: mediaTypes[used].config, digest: digestOf(bytes), size: bytes.length },
    layers: layers.map((layer) => inFamily(used, layer)),
  };
}

/**
 * The config that the chain's instructions add up to, on the base as it is now.
 *
 * @param times when the chain's layers were made, by position, RFC 3339
 * @param labels from the command line; they win over the Dockerfile's
 */
export function chainConfig(
  chain: Chain,
  {
    diffIds,
    times,
    labels,
  }: { diffIds: readonly Digest[]; times: readonly string[]; labels: ReadonlyMap<string, string> },
): ImageConfig {
  const { base, platform, final } = chain;
  const { os, architecture, variant } = base?.config ?? platform;
  const Labels = { ...final.config.Labels, ...Object.fromEntries(labels) };
  return {
    os,
    architecture,
    variant,
    "os.version": base?.config["os.version"],
    "os.features": base?.config["os.features"],
    author: final.author,
    created: times.at(-1) ?? base?.config.created,
    config: orderedRuntime({ ...final.config, Labels }),
    diffIds,
    history: historyOf(chain, times),
  };
}

/** When the layers behind a checkpoint were made, by position in the chain. */
export function checkpointTimes(chain: Chain, start: Recalled | undefined): readonly string[] {
  if (start === undefined) return [];
  const below = chain.base?.config.diffIds.length ?? 0;
  const fallback = new Date(start.checkpoint.created).toISOString();
  return layerTimes(start.checkpoint.config)
    .slice(below, below + start.position)
    .map((time) => time ?? fallback);
}

/**
 * A checkpoint at the end of a target keeps the published config. If it says what the new one says, it is used byte
 * for byte, so that an unchanged build gives an unchanged digest.
 */
export function keptConfig(config: ImageConfig, checkpoint: Checkpoint | undefined): Checkpoint | undefined {
  return checkpoint !== undefined && saysTheSame(config, checkpoint.config) ? checkpoint : undefined;
}

/** Whether two configs give equal containers and have histories of one shape; times and wording do not count. */
function saysTheSame(one: ImageConfig, other: ImageConfig): boolean {
  const essence = (image: ImageConfig) => [
    orderedRuntime(image.config),
    image.author ?? "",
    image.os,
    image.architecture,
    image.variant ?? "",
    image["os.version"] ?? "",
    image.diffIds,
    image.history.map((entry) => entry.empty_layer === true),
  ];
  return JSON.stringify(essence(one)) === JSON.stringify(essence(other));
}

function inFamily(family: MediaFamily, layer: ImageLayer): ImageLayer {
  const mediaType = layerTypeIn(family, layer.descriptor.mediaType) ?? layer.descriptor.mediaType;
  return { ...layer, descriptor: { ...layer.descriptor, mediaType } };
}
