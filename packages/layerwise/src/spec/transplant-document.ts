// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { emptyDescriptor, keyAnnotation } from "./checkpoint.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { readDocument } from "./json-document.ts";
import type { LayerDirectory, LayerFiles } from "./layer-files.ts";
import {
  directoriesSchema,
  layerSchema,
  openDirectories,
  openLayer,
  storeDirectories,
  storeLayer,
} from "./layer-files-document.ts";
import { decodeManifest, encodeManifest } from "./manifest.ts";
import { layerTypeIn, mediaTypes } from "./media-type.ts";

/*
 * A layer that a COPY --from made, for builds in which other layers are below it. The document says what the
 * instruction selected and what the layer holds; its manifest refers to the layer, so that no garbage collector takes
 * it. See docs/checkpoints.md.
 */

/** Media type of the document: gzip of JSON. */
export const transplantMediaType = "application/vnd.layerwise.transplant.v1+json+gzip";

const version = 1;

/** What the document of a transplant says. */
export interface TransplantDocument {
  /** The files of the layer. */
  readonly layer: LayerFiles;
  /** The chain ID of the layers that it was copied from; `scratch` if there are none. */
  readonly from: string;
  /** What each source word selected, in the order of copying. */
  readonly sources: readonly RecordedSource[];
}

/** A file or directory that was selected. */
export interface RecordedSource {
  readonly word: string;
  /** The name it has in a directory that it is put into. */
  readonly name: string;
  /** {@link sourcePath} stands for the source itself; what is in it lies below. */
  readonly directories: readonly LayerDirectory[];
}

/** The path that stands for a source among its own entries. */
export const sourcePath = "source";

const documentSchema = v.object({
  version: v.literal(version),
  layer: layerSchema,
  from: v.string(),
  sources: v.array(v.object({ word: v.string(), name: v.string(), directories: directoriesSchema })),
});

/** Writes the document. */
export function encodeTransplant({ layer, from, sources }: TransplantDocument): Uint8Array {
  const document = {
    version,
    layer: storeLayer(layer),
    from,
    sources: sources.map(({ word, name, directories }) => ({ word, name, directories: storeDirectories(directories) })),
  };
  return Buffer.from(JSON.stringify(document));
}

/** Reads what {@link encodeTransplant} wrote; REGISTRY_PROTOCOL if it is anything else. */
export function decodeTransplant(bytes: Uint8Array, source: string): TransplantDocument {
  const { layer, from, sources } = readDocument(bytes, documentSchema, `the transplant of ${source}`);
  return {
    layer: openLayer(layer),
    from,
    sources: sources.map(({ word, name, directories }) => ({ word, name, directories: openDirectories(directories) })),
  };
}

/** The blobs that the manifest of a transplant refers to. */
export interface TransplantBlobs {
  readonly document: Descriptor;
  readonly layer: Descriptor;
}

/** Writes the manifest. */
export function encodeTransplantManifest(key: Digest, { document, layer }: TransplantBlobs): Uint8Array {
  return encodeManifest({
    mediaType: mediaTypes.oci.manifest,
    artifactType: transplantMediaType,
    config: emptyDescriptor,
    layers: [document, { ...layer, mediaType: layerTypeIn("oci", layer.mediaType) ?? layer.mediaType }],
    annotations: { [keyAnnotation]: key },
  });
}

/** Reads the manifest. A text says why it must not be used. */
export function decodeTransplantManifest(
  bytes: Uint8Array,
  { key, mediaType, source }: { key: Digest; mediaType: string; source: string },
): TransplantBlobs | string {
  const { layers, annotations } = decodeManifest(bytes, { mediaType, source });
  const found = annotations?.[keyAnnotation];
  if (found !== key) return found === undefined ? "it does not say its key" : "it says another key than its tag";
  const [document, layer] = layers;
  if (layers.length !== 2 || document?.mediaType !== transplantMediaType || layer === undefined) {
    return "it is no transplant";
  }
  if (layerTypeIn("oci", layer.mediaType) === undefined) return "its layer is of a kind that layerwise does not read";
  return { document, layer };
}
