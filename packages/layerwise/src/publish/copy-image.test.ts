// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { createMemoryRegistry, type MemoryRepository } from "../../test/memory-repository.ts";
import type { Event } from "../event.ts";
import type { StoredManifest } from "../ports.ts";
import { digestOf } from "../spec/digest.ts";
import { encodeIndex } from "../spec/image-index.ts";
import { encodeManifest } from "../spec/manifest.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { copyImage } from "./copy-image.ts";

const stored = (mediaType: string, bytes: Uint8Array): StoredManifest => ({
  mediaType,
  bytes,
  digest: digestOf(bytes),
});

async function pushImage(
  repository: MemoryRepository,
  tag: string,
  layers: readonly string[],
): Promise<StoredManifest> {
  const descriptors = [`{"config":"${tag}"}`, ...layers].map((text) => {
    const bytes = Buffer.from(text);
    repository.blobs.set(digestOf(bytes), bytes);
    return { mediaType: mediaTypes.oci.layer.gzip, digest: digestOf(bytes), size: bytes.length };
  });
  const [config, ...rest] = descriptors as [(typeof descriptors)[0], ...typeof descriptors];
  const manifest = stored(
    mediaTypes.oci.manifest,
    encodeManifest({
      mediaType: mediaTypes.oci.manifest,
      config: { ...config, mediaType: mediaTypes.oci.config },
      layers: rest,
    }),
  );
  await repository.pushManifest(manifest.digest, manifest);
  await repository.pushManifest(tag, manifest);
  return manifest;
}

async function copied(from: MemoryRepository, reference: string, to: MemoryRepository, tags: readonly string[]) {
  const events: Event[] = [];
  const manifest = await copyImage({ from, reference, to, tags, emit: (event) => events.push(event) });
  return { manifest, tagged: events.flatMap((event) => (event.kind === "tag-moved" ? [event.reference] : [])) };
}

describe("copyImage", () => {
  it("copies an image byte for byte to another registry, tags last", async () => {
    const from = createMemoryRegistry("one.example").repository("app");
    const to = createMemoryRegistry("two.example").repository("app");
    const image = await pushImage(from, "v1", ["a", "b"]);

    const { manifest, tagged } = await copied(from, "v1", to, ["prod", "latest"]);

    expect(manifest).toEqual(image);
    expect(to.manifests.get("prod")?.bytes).toEqual(image.bytes);
    expect(to.blobs.size).toBe(3);
    expect(tagged).toEqual(["two.example/app:prod", "two.example/app:latest"]);
  });

  it("mounts between repositories of one registry", async () => {
    const registry = createMemoryRegistry();
    const [from, to] = [registry.repository("app"), registry.repository("prod")];
    await pushImage(from, "v1", ["a"]);
    to.pushBlob = () => Promise.reject(new Error("a blob was uploaded"));

    await copied(from, "v1", to, ["v1"]);

    expect(to.blobs.size).toBe(2);
  });

  it("copies an index with all its images, and by digest alone without a tag", async () => {
    const from = createMemoryRegistry("one.example").repository("app");
    const to = createMemoryRegistry("two.example").repository("app");
    const images = [await pushImage(from, "amd64", ["a"]), await pushImage(from, "arm64", ["b"])];
    const manifests = images.map(({ mediaType, digest, bytes }) => ({ mediaType, digest, size: bytes.length }));
    const index = stored(mediaTypes.oci.index, encodeIndex({ mediaType: mediaTypes.oci.index, manifests }));
    await from.pushManifest(index.digest, index);

    const { manifest, tagged } = await copied(from, index.digest, to, []);

    expect(manifest.bytes).toEqual(index.bytes);
    expect([...to.manifests.keys()].sort()).toEqual([...images, index].map(({ digest }) => digest).sort());
    expect(tagged).toEqual([]);
  });

  it("sends nothing but the tag where the image is already", async () => {
    const registry = createMemoryRegistry();
    const repository = registry.repository("app");
    await pushImage(repository, "v1", ["a"]);
    repository.hasBlob = () => Promise.reject(new Error("a blob was asked for"));

    const { tagged } = await copied(repository, "v1", repository, ["v2"]);

    expect(tagged).toEqual(["memory.example/app:v2"]);
  });

  it("takes a tag that cannot move for done if it is right already, and for an error if it is not", async () => {
    const registry = createMemoryRegistry();
    const repository = registry.repository("app");
    await pushImage(repository, "v1", ["a"]);
    await pushImage(repository, "other", ["b"]);
    repository.pushManifest = () => Promise.reject(new Error("the tag is immutable"));

    expect((await copied(repository, "v1", repository, ["v1"])).tagged).toEqual([]);
    await expect(copied(repository, "v1", repository, ["other"])).rejects.toThrow("the tag is immutable");
  });

  it("says what is not there", async () => {
    const registry = createMemoryRegistry();
    const copying = copied(registry.repository("app"), "v1", registry.repository("prod"), []);

    await expect(copying).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      message: expect.stringContaining("memory.example/app:v1"),
    });
  });
});
