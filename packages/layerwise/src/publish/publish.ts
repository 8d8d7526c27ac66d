// SPDX-License-Identifier: Apache-2.0
import type { Emit } from "../event.ts";
import type { CallOptions, Repository, StoredManifest } from "../ports.ts";
import type { Image } from "../produce/image.ts";
import { digestOf } from "../spec/digest.ts";
import { encodeManifest, imageManifest } from "../spec/manifest.ts";
import { pushDocument, pushLayers } from "./push-blobs.ts";

/** Where an image goes: one repository and the tags that it gets there. */
export interface Destination {
  readonly repository: Repository;
  readonly tags: readonly string[];
}

/**
 * Brings all blobs of an image into a repository.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#push
 */
export async function pushContents(repository: Repository, { image, emit, signal }: PublishOptions): Promise<void> {
  const pushing = { to: repository, emit, signal };
  const { configDescriptor, configBytes } = image;
  const pushConfig = async () => await pushDocument({ descriptor: configDescriptor, bytes: configBytes }, pushing);
  await Promise.all([pushLayers(image.layers, pushing), pushConfig()]);
}

/** Stores the manifest of an image whose blobs are there by its digest: complete, and still without a tag. */
export async function pushByDigest(
  repository: Repository,
  { image, annotations, signal }: PublishOptions,
): Promise<void> {
  const manifest = manifestOf(image, annotations);
  await repository.pushManifest(manifest.digest, manifest, { signal });
}

/** Gives an image that is in a repository its tags there, one after the other. */
export async function moveTags(
  { repository, tags }: Destination,
  { image, annotations, emit, signal }: PublishOptions,
): Promise<void> {
  const manifest = manifestOf(image, annotations);
  for (const tag of tags) {
    await repository.pushManifest(tag, manifest, { signal });
    emit({ kind: "tag-moved", reference: `${repository.name}:${tag}`, digest: manifest.digest });
  }
}

/** What is published and how. */
export interface PublishOptions extends CallOptions {
  readonly image: Image;
  readonly annotations: ReadonlyMap<string, string>;
  readonly emit: Emit;
}

/** The manifest of an image; the same image gives the same bytes. */
export function manifestOf(
  { family, configDescriptor, layers }: Image,
  annotations: ReadonlyMap<string, string>,
): StoredManifest {
  const manifest = imageManifest(family, {
    config: configDescriptor,
    layers: layers.map((layer) => layer.descriptor),
    annotations: Object.fromEntries(annotations),
  });
  const bytes = encodeManifest(manifest);
  return { mediaType: manifest.mediaType, digest: digestOf(bytes), bytes };
}
