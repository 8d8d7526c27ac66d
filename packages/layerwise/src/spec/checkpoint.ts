// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from "./descriptor.ts";
import { type Digest, digestOf, hexOf, isDigest } from "./digest.ts";
import { chainIdOf, decodeImageConfig, type ImageConfig } from "./image-config.ts";
import { decodeManifest, encodeManifest, type Manifest } from "./manifest.ts";
import { emptyMediaType, layerTypeIn, mediaTypes } from "./media-type.ts";
import { samePlatform } from "./platform.ts";

/*
 * A checkpoint is an ordinary image: the layers of a chain up to one instruction, tagged with that instruction's cache
 * key. See docs/checkpoints.md.
 */

/** Every tag that layerwise makes for itself begins with this; lifecycle rules may go by it. */
export const cacheTagPrefix = "lwcache-";

/** Hexadecimal digits of the key in a tag; 160 bits, so that tags never meet by chance. */
const tagDigits = 40;

/** The annotation that says a whole key. */
export const keyAnnotation = "io.layerwise.cache.key";

const annotations = {
  key: keyAnnotation,
  instruction: "io.layerwise.cache.instruction",
  files: "io.layerwise.cache.files",
  version: "io.layerwise.cache.version",
  created: "org.opencontainers.image.created",
} as const;

/** Longest instruction text that an annotation holds; the rest is cut. */
const maxInstructionText = 200;

/** A checkpoint as found in a repository. */
export interface Checkpoint {
  readonly key: Digest;
  readonly tag: string;
  /** Digest of its manifest: what an engine starts from. */
  readonly digest: Digest;
  readonly instruction: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly layers: readonly Descriptor[];
  readonly config: ImageConfig;
  readonly configDescriptor: Descriptor;
  readonly configBytes: Uint8Array;
  /** The blob with the files of its layers, see `encodeLayerFiles`; undefined if none was saved. */
  readonly files: Descriptor | undefined;
}

/** The tag of a checkpoint. */
export function checkpointTag(key: Digest): string {
  return `${cacheTagPrefix}${hexOf(key).slice(0, tagDigits)}`;
}

/** The tag of the document that lists the files of a stack of layers. */
export function filesTag(diffIds: readonly Digest[]): string {
  return checkpointTag(digestOf(`layerwise-files-1\n${chainIdOf(diffIds) ?? "scratch"}`));
}

/** Media type of the document that lists the files of layers: gzip of JSON. */
export const filesMediaType = "application/vnd.layerwise.files.v1+json+gzip";

/** What a checkpoint's manifest is made of. */
export interface CheckpointParts {
  readonly key: Digest;
  readonly instruction: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly version: string;
  readonly layers: readonly Descriptor[];
  readonly config: Descriptor;
  readonly files: Descriptor | undefined;
}

/** Writes a checkpoint's manifest, always in OCI's media types, which have annotations. */
export function encodeCheckpoint(parts: CheckpointParts): Uint8Array {
  const { key, instruction, created, version, layers, config, files } = parts;
  return encodeManifest({
    mediaType: mediaTypes.oci.manifest,
    config: { ...config, mediaType: mediaTypes.oci.config },
    layers: layers.map((layer) => ({ ...layer, mediaType: layerTypeIn("oci", layer.mediaType) ?? layer.mediaType })),
    annotations: {
      [annotations.key]: key,
      [annotations.instruction]: instruction.slice(0, maxInstructionText),
      [annotations.version]: version,
      [annotations.created]: new Date(created).toISOString(),
      ...(files === undefined ? {} : { [annotations.files]: `${files.digest} ${files.size}` }),
    },
  });
}

/** Reads a checkpoint's manifest. A text says why it must not be used. */
export function decodeCheckpointManifest(
  bytes: Uint8Array,
  { key, mediaType, source }: { key: Digest; mediaType: string; source: string },
): { manifest: Manifest; instruction: string; created: number; files: Descriptor | undefined } | string {
  const manifest = decodeManifest(bytes, { mediaType, source });
  const found = manifest.annotations?.[annotations.key];
  if (found !== key) return found === undefined ? "it does not say its key" : "it says another key than its tag";
  if (manifest.layers.some((layer) => layerTypeIn("oci", layer.mediaType) === undefined)) {
    return "it has layers of a kind that layerwise does not read";
  }
  return {
    manifest,
    instruction: manifest.annotations?.[annotations.instruction] ?? "",
    created: Date.parse(manifest.annotations?.[annotations.created] ?? "") || 0,
    files: filesDescriptor(manifest.annotations?.[annotations.files]),
  };
}

/** Joins a checkpoint's manifest with its config. A text says why it must not be used. */
export function joinCheckpoint(
  decoded: Exclude<ReturnType<typeof decodeCheckpointManifest>, string>,
  parts: { key: Digest; digest: Digest; configBytes: Uint8Array; base: ImageConfig; source: string },
): Checkpoint | string {
  const { manifest, instruction, created, files } = decoded;
  const { key, digest, configBytes, base, source } = parts;
  const config = decodeImageConfig(configBytes, source);
  if (config.diffIds.length !== manifest.layers.length) return "its config and its manifest disagree about its layers";
  if (base.diffIds.some((diffId, index) => config.diffIds[index] !== diffId)) return "it stands on another base";
  if (!samePlatform(config, base)) return "it is for another platform";
  const { layers, config: configDescriptor } = manifest;
  return {
    key,
    tag: checkpointTag(key),
    digest,
    instruction,
    created,
    layers,
    config,
    configDescriptor,
    configBytes,
    files,
  };
}

/** Writes the manifest that keeps a files document from being collected as garbage. */
export function encodeFilesManifest(files: Descriptor): Uint8Array {
  return encodeManifest({
    mediaType: mediaTypes.oci.manifest,
    artifactType: filesMediaType,
    config: emptyDescriptor,
    layers: [{ ...files, mediaType: filesMediaType }],
  });
}

/** Reads a manifest that {@link encodeFilesManifest} wrote; undefined if it is another kind of manifest. */
export function decodeFilesManifest(
  bytes: Uint8Array,
  parts: { mediaType: string; source: string },
): Descriptor | undefined {
  const { layers } = decodeManifest(bytes, parts);
  const [layer] = layers;
  return layers.length === 1 && layer?.mediaType === filesMediaType ? layer : undefined;
}

/** Writes a manifest that no reader takes for a checkpoint: it says no key. */
export function encodeTombstone(): Uint8Array {
  return encodeManifest({
    mediaType: mediaTypes.oci.manifest,
    artifactType: "application/vnd.layerwise.pruned.v1",
    config: emptyDescriptor,
    layers: [emptyDescriptor],
  });
}

/** The content that a config without meaning has. */
export const emptyContent: Uint8Array = Buffer.from("{}");

/** The blob that stands where an artifact has nothing to say. */
export const emptyDescriptor: Descriptor = { mediaType: emptyMediaType, digest: digestOf(emptyContent), size: 2 };

function filesDescriptor(text: string | undefined): Descriptor | undefined {
  const [digest, size] = (text ?? "").split(" ");
  if (digest === undefined || !isDigest(digest) || !/^[0-9]+$/.test(size ?? "")) return undefined;
  return { mediaType: filesMediaType, digest, size: Number(size) };
}
