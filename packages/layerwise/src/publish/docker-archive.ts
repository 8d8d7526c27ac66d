// SPDX-License-Identifier: Apache-2.0
import type { CallOptions } from "../ports.ts";
import type { Image, ImageLayer } from "../produce/image.ts";
import { hexOf } from "../spec/digest.ts";
import { encodeTarHeader, tarEnd, tarPadding } from "../spec/tar-header.ts";

/**
 * Writes an image as `docker load` reads it, layers compressed as they are; fetched from where they lie, in constant
 * memory.
 * https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
 *
 * @param references names with tags that the image gets when it is loaded
 */
export async function* dockerArchive(
  image: Image,
  { references, signal }: { references: readonly string[] } & CallOptions,
): AsyncGenerator<Uint8Array> {
  const config = `${hexOf(image.configDescriptor.digest)}.json`;
  const layers = image.layers.map(layerPath);
  yield* entry(config, image.configBytes);
  for (const [path, layer] of new Map(image.layers.map((one) => [layerPath(one), one]))) {
    yield encodeTarHeader({ ...plain, path, size: layer.descriptor.size });
    yield* bytesOf(layer, { signal });
    yield new Uint8Array(tarPadding(layer.descriptor.size));
  }
  const manifest = [{ Config: config, RepoTags: references.length === 0 ? null : references, Layers: layers }];
  yield* entry("manifest.json", Buffer.from(JSON.stringify(manifest)));
  yield tarEnd;
}

const plain = { kind: "file", mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;

function layerPath({ descriptor }: ImageLayer): string {
  return `${hexOf(descriptor.digest)}/layer.tar`;
}

function* entry(path: string, content: Uint8Array): Generator<Uint8Array> {
  yield encodeTarHeader({ ...plain, path, size: content.length });
  yield content;
  yield new Uint8Array(tarPadding(content.length));
}

function bytesOf({ descriptor, source }: ImageLayer, options: CallOptions): AsyncIterable<Uint8Array> {
  return source.kind === "made" ? source.blob.open() : source.repository.fetchBlob(descriptor, options);
}
