// SPDX-License-Identifier: Apache-2.0
import { hasCode } from "../error.ts";
import type { Emit } from "../event.ts";
import type { CallOptions, Repository } from "../ports.ts";
import type { Image } from "../produce/image.ts";
import { recordTag } from "../spec/build-record.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { encodeRecordManifest } from "../spec/record-document.ts";
import { pushEmpty } from "./push-blobs.ts";

/** A record and the image that it tells of. */
export interface SavedRecord {
  readonly text: string;
  readonly digest: Digest;
  readonly image: Image;
  /** Whether the blobs of the image are in the cache repository. */
  readonly isThere: boolean;
}

/**
 * Saves the record of a build under a tag of the image's own: two builds at once never write one tag, but for equal
 * images. A failure costs an explanation and nothing else, so it is a warning.
 */
export async function saveRecord(
  { text, digest, image, isThere }: SavedRecord,
  { cache, emit, signal }: { cache: Repository; emit: Emit } & CallOptions,
): Promise<void> {
  try {
    const anchors = isThere ? anchorsIn(image) : undefined;
    const bytes = encodeRecordManifest(text, anchors ?? (await emptyAnchors({ cache, signal })));
    const manifest = { mediaType: mediaTypes.oci.manifest, digest: digestOf(bytes), bytes };
    await cache.pushManifest(recordTag(digest), manifest, { signal });
  } catch (error) {
    if (hasCode(error, "CANCELLED")) throw error;
    emit({ kind: "warning", message: `the record of the build could not be saved: ${(error as Error).message}` });
  }
}

/** Blobs that are there anyway, the smallest: registries want a config and a layer, and each upload is two requests. */
function anchorsIn({ configDescriptor, layers }: Image): { config: Descriptor; layer: Descriptor } | undefined {
  const [layer] = layers.map(({ descriptor }) => descriptor).sort((one, other) => one.size - other.size);
  const config = { ...configDescriptor, mediaType: mediaTypes.oci.config };
  return layer === undefined ? undefined : { config, layer };
}

async function emptyAnchors({ cache, signal }: { cache: Repository } & CallOptions) {
  const empty = await pushEmpty({ to: cache, signal });
  return { config: empty, layer: empty };
}
