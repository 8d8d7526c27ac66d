// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import { type Descriptor, descriptorSchema } from "./descriptor.ts";
import { readDocument } from "./json-document.ts";
import { isManifestType, type MediaFamily, mediaTypes } from "./media-type.ts";

/**
 * An image manifest of either family.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md
 */
export interface Manifest {
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

const manifestSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  artifactType: v.optional(v.string()),
  config: descriptorSchema,
  // Go writes a list that nothing was added to as null.
  layers: v.nullable(v.array(descriptorSchema)),
  annotations: v.optional(v.nullable(v.record(v.string(), v.string()))),
});

/**
 * Reads an image manifest.
 *
 * @param bytes the document as received
 * @param mediaType what the transport said it is; wins where the document is silent
 * @param source how errors name it, for example `registry.example/app:latest`
 */
export function decodeManifest(
  bytes: Uint8Array,
  { mediaType, source }: { mediaType: string; source: string },
): Manifest {
  const what = `the manifest of ${source}`;
  const { artifactType, config, layers, annotations, ...stated } = readDocument(bytes, manifestSchema, what);
  const type = stated.mediaType ?? mediaType;
  if (!isManifestType(type))
    throw new LayerwiseError("REGISTRY_PROTOCOL", `could not read ${what}: its media type is ${type}`);
  return { mediaType: type, artifactType, config, layers: layers ?? [], annotations: annotations ?? undefined };
}

/** Writes a manifest: the same manifest gives the same bytes. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const { mediaType, artifactType, config, layers, annotations } = manifest;
  const document = {
    schemaVersion: 2,
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: bareDescriptor(config),
    layers: layers.map(bareDescriptor),
    ...(annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations: sorted(annotations) }),
  };
  return Buffer.from(JSON.stringify(document));
}

/** A manifest of an image: config and layers in the media types of one family. */
export function imageManifest(
  family: MediaFamily,
  parts: Pick<Manifest, "config" | "layers" | "annotations">,
): Manifest {
  return {
    mediaType: mediaTypes[family].manifest,
    config: { ...parts.config, mediaType: mediaTypes[family].config },
    layers: parts.layers,
    annotations: parts.annotations,
  };
}

function bareDescriptor({ mediaType, digest, size, annotations }: Descriptor): Descriptor {
  return annotations === undefined || Object.keys(annotations).length === 0
    ? { mediaType, digest, size }
    : { mediaType, digest, size, annotations: sorted(annotations) };
}

function sorted(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1)));
}
