// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import { maxConfigBytes } from "../plan/recall.ts";
import type { CallOptions, Repository } from "../ports.ts";
import { type Image, storedLayers } from "../produce/image.ts";
import type { Digest } from "../spec/digest.ts";
import { decodeImageConfig } from "../spec/image-config.ts";
import { decodeManifest } from "../spec/manifest.ts";
import { familyOf } from "../spec/media-type.ts";
import { readAll } from "../spec/verified.ts";

/** Opens an image that a repository holds, its layers where they are. REGISTRY_NOT_FOUND if there is none. */
export async function storedImage(
  repository: Repository,
  digest: Digest,
  { signal }: CallOptions = {},
): Promise<Image> {
  const source = `${repository.name}@${digest}`;
  const stored = await repository.fetchManifest(digest, { signal });
  if (stored === undefined) throw new LayerwiseError("REGISTRY_NOT_FOUND", `could not find the image ${source}`);
  const { config: configDescriptor, layers } = decodeManifest(stored.bytes, { mediaType: stored.mediaType, source });
  const configBytes = await readAll(repository.fetchBlob(configDescriptor, { signal }), maxConfigBytes);
  const config = decodeImageConfig(configBytes, source);
  return {
    family: familyOf(stored.mediaType),
    config,
    configDescriptor,
    configBytes,
    layers: storedLayers(repository, { layers, diffIds: config.diffIds }),
  };
}
