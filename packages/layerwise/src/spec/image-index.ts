// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { type Descriptor, descriptorSchema } from "./descriptor.ts";
import { readDocument } from "./json-document.ts";
import { type Platform, samePlatform } from "./platform.ts";

/**
 * A list of manifests, one a platform.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md
 */
export interface ImageIndex {
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

const indexSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  manifests: v.nullable(v.array(descriptorSchema)),
  annotations: v.optional(v.nullable(v.record(v.string(), v.string()))),
});

/** Reads an index; parameters as of `decodeManifest`. */
export function decodeIndex(
  bytes: Uint8Array,
  { mediaType, source }: { mediaType: string; source: string },
): ImageIndex {
  const { manifests, annotations, ...stated } = readDocument(bytes, indexSchema, `the index of ${source}`);
  const type = stated.mediaType ?? mediaType;
  return { mediaType: type, manifests: manifests ?? [], annotations: annotations ?? undefined };
}

/** Writes an index: the same index gives the same bytes. */
export function encodeIndex({ mediaType, manifests, annotations }: ImageIndex): Uint8Array {
  const document = { schemaVersion: 2, mediaType, manifests, ...(annotations === undefined ? {} : { annotations }) };
  return Buffer.from(JSON.stringify(document));
}

/**
 * Chooses the one manifest for a platform. Attestations (platform unknown/unknown) never match.
 * Several candidates are no choice: the result is then undefined as well.
 */
export function manifestFor(index: ImageIndex, platform: Platform): Descriptor | undefined {
  const candidates = index.manifests.filter(
    (entry) => entry.platform !== undefined && samePlatform(entry.platform, platform),
  );
  return candidates.length === 1 ? candidates[0] : undefined;
}
