// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import type { CallOptions, Repository, StoredManifest } from "../ports.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import type { Digest } from "../spec/digest.ts";
import { decodeIndex } from "../spec/image-index.ts";
import { decodeManifest } from "../spec/manifest.ts";
import { isIndexType } from "../spec/media-type.ts";
import { pushLayers } from "./push-blobs.ts";

/** What to copy, and where to. */
export interface CopyOptions extends CallOptions {
  readonly from: Repository;
  /** Tag or digest. */
  readonly reference: string;
  readonly to: Repository;
  /** Tags at the destination; none: the image is there by its digest only. */
  readonly tags: readonly string[];
  readonly emit: Emit;
}

/**
 * Copies an image or an index with all its images, byte for byte, so that digests stay. Each blob is present, mounted or
 * streamed; tags move last. REGISTRY_NOT_FOUND if the image is not there.
 */
export async function copyImage(options: CopyOptions): Promise<StoredManifest> {
  const { from, reference, to, tags, signal } = options;
  const manifest = await from.fetchManifest(reference, { signal });
  if (manifest === undefined) {
    throw new LayerwiseError("REGISTRY_NOT_FOUND", `could not find the image ${nameOf(from, reference)}`, {
      hint: "check the name and the tag",
    });
  }
  const isThere = await isPresent(manifest.digest, options);
  if (!isThere) await copyContents(manifest, { ...options, source: nameOf(from, reference) });
  if (tags.length === 0 && !isThere) await to.pushManifest(manifest.digest, manifest, { signal });
  for (const tag of tags) await moveTag(tag, manifest, options);
  return manifest;
}

interface Copying extends CopyOptions {
  /** How errors name what is read. */
  readonly source: string;
}

/** Brings everything into the repository that a manifest refers to. */
async function copyContents({ mediaType, bytes }: StoredManifest, copying: Copying): Promise<void> {
  const { from, to, source, emit, signal } = copying;
  if (isIndexType(mediaType)) {
    for (const { digest } of decodeIndex(bytes, { mediaType, source }).manifests) await copyManifest(digest, copying);
    return;
  }
  const { config, layers } = decodeManifest(bytes, { mediaType, source });
  const own = layers.filter((layer) => !isElsewhere(layer));
  const blobs = [config, ...own].map((descriptor) => ({
    descriptor,
    source: { kind: "repository", repository: from } as const,
  }));
  await pushLayers(blobs, { to, emit, signal });
}

/** Copies a manifest that an index lists. */
async function copyManifest(digest: Digest, copying: Copying): Promise<void> {
  const { from, to, signal } = copying;
  if (await isPresent(digest, copying)) return;
  const source = nameOf(from, digest);
  const manifest = await from.fetchManifest(digest, { signal });
  if (manifest === undefined) {
    throw new LayerwiseError("REGISTRY_NOT_FOUND", `could not copy ${copying.source}: ${source} is not there`, {
      hint: "copy an image of one platform by its digest, or push the missing images again",
    });
  }
  await copyContents(manifest, { ...copying, source });
  await to.pushManifest(digest, manifest, { signal });
}

/** A registry takes no manifest whose blobs it does not have, so what it has is complete. */
async function isPresent(digest: Digest, { to, signal }: CopyOptions): Promise<boolean> {
  return (await to.fetchManifest(digest, { signal })) !== undefined;
}

/** Layers that may be somewhere else by the intent of who made them. */
function isElsewhere({ mediaType }: Descriptor): boolean {
  return /nondistributable|\.foreign\./.test(mediaType);
}

/** A tag that can never move again is right if it is where it should be. */
async function moveTag(tag: string, manifest: StoredManifest, { to, emit, signal }: CopyOptions): Promise<void> {
  try {
    await to.pushManifest(tag, manifest, { signal });
  } catch (error) {
    const there = await to.fetchManifest(tag, { signal }).catch(() => undefined);
    if (there?.digest !== manifest.digest) throw error;
    return;
  }
  emit({ kind: "tag-moved", reference: nameOf(to, tag), digest: manifest.digest });
}

function nameOf({ name }: Repository, reference: string): string {
  return `${name}${reference.includes(":") ? "@" : ":"}${reference}`;
}
