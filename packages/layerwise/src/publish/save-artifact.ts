// SPDX-License-Identifier: Apache-2.0
import type { CallOptions, Repository } from "../ports.ts";
import { compressDocument } from "../spec/compression.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { digestOf } from "../spec/digest.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { pushDocument, pushEmpty } from "./push-blobs.ts";

/** A document that has a tag of its own. */
export interface Artifact {
  readonly tag: string;
  readonly mediaType: string;
  /** Not compressed. */
  readonly document: Uint8Array;
  /** The manifest that refers to the compressed document, so that it is not collected as garbage. */
  readonly manifest: (document: Descriptor) => Uint8Array;
}

/** Saves a document compressed, under its tag; gives the descriptor of what was saved. */
export async function saveArtifact(
  { tag, mediaType, document, manifest }: Artifact,
  { cache, signal }: { cache: Repository } & CallOptions,
): Promise<Descriptor> {
  const compressed = compressDocument(document);
  const descriptor: Descriptor = { mediaType, digest: digestOf(compressed), size: compressed.length };
  await pushDocument({ descriptor, bytes: compressed }, { to: cache, signal });
  await pushEmpty({ to: cache, signal });
  const bytes = manifest(descriptor);
  await cache.pushManifest(tag, { mediaType: mediaTypes.oci.manifest, digest: digestOf(bytes), bytes }, { signal });
  return descriptor;
}
