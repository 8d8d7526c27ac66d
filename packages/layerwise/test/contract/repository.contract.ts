// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Blob, Repository, StoredManifest } from "../../src/ports.ts";
import type { Descriptor } from "../../src/spec/descriptor.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { encodeIndex } from "../../src/spec/image-index.ts";
import { encodeManifest } from "../../src/spec/manifest.ts";
import { type MediaFamily, mediaTypes } from "../../src/spec/media-type.ts";
import { readAll } from "../../src/spec/verified.ts";

/** An implementation to be tested. */
export interface RepositorySubject {
  /** An empty repository, another one with each call, all of one registry if there are such. */
  readonly create: () => Repository;
  /** Whether blobs can be mounted from one of them into another. */
  readonly mounts: boolean;
  /** Whether a blob of one of them is in all; false without. */
  readonly sharesBlobs?: boolean;
  /** Whether manifests can be removed: with their tags (without), none, or not what tags point to. */
  readonly removes?: boolean | "digest";
  /** Whether a manifest is refused whose blobs are missing; true without. */
  readonly checks?: boolean;
  readonly close: () => Promise<void>;
}

/** What every implementation of the Repository port must do; with other media types, if it refuses some. */
export function repositoryContract(
  name: string,
  start: () => Promise<RepositorySubject>,
  families: readonly MediaFamily[] = ["oci", "docker"],
): void {
  describe(name, () => {
    let subject: RepositorySubject;
    beforeAll(async () => {
      subject = await start();
    });
    afterAll(() => subject.close());
    const create = () => subject.create();
    blobContract(create);
    manifestContract(create, families);
    checkContract(() => subject, families[0]);
    removalContract(() => subject, families[0]);
    cancellationContract(create);
    mountContract(() => subject);
  });
}

function blobContract(create: () => Repository): void {
  it("does not have a blob that was never pushed", async () => {
    const repository = create();

    const has = await repository.hasBlob(digestOf("never"));

    expect(has).toBe(false);
  });

  it("says REGISTRY_NOT_FOUND when a missing blob is fetched", async () => {
    const repository = create();

    const fetching = readAll(repository.fetchBlob(blobOf("never").descriptor), 1_000);

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  });

  it.each([
    { what: "a small blob", content: Buffer.from("hello") },
    { what: "an empty blob", content: Buffer.alloc(0) },
    { what: "a blob of several megabytes", content: Buffer.alloc(5_000_000, "layerwise ") },
  ])("gives back $what as it was pushed", async ({ content }) => {
    const repository = create();
    const blob = blobOf(content);

    await repository.pushBlob(blob);

    expect(await repository.hasBlob(blob.descriptor.digest)).toBe(true);
    const fetched = await readAll(repository.fetchBlob(blob.descriptor), content.length);
    expect(digestOf(fetched)).toBe(blob.descriptor.digest);
  });

  it("accepts a blob that it has already", async () => {
    const repository = create();
    const blob = blobOf("twice");
    await repository.pushBlob(blob);

    const again = repository.pushBlob(blob);

    await expect(again).resolves.toBeUndefined();
  });

  it.each([
    { what: "other bytes", content: "five!", size: 5 },
    { what: "too few bytes", content: "five", size: 5 },
    { what: "too many bytes", content: "five!!", size: 5 },
  ])("refuses a blob with $what and does not have it afterwards", async ({ content, size }) => {
    const repository = create();
    const descriptor = { mediaType: "application/octet-stream", digest: digestOf("fives"), size };

    const pushing = repository.pushBlob({ ...blobOf(content), descriptor });

    await expect(pushing).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(await repository.hasBlob(descriptor.digest)).toBe(false);
  });

  it("says DIGEST_MISMATCH when a blob has another size than its descriptor says", async () => {
    const repository = create();
    const blob = blobOf("sized");
    await repository.pushBlob(blob);

    const fetching = readAll(repository.fetchBlob({ ...blob.descriptor, size: 4 }), 1_000);

    await expect(fetching).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  it("lets an error of a blob's own reader through as it is", async () => {
    const repository = create();
    const torn = new Error("the file vanished");
    const blob = { ...blobOf(Buffer.alloc(1_000_000)), open: () => failingStream(torn) };

    const pushing = repository.pushBlob(blob);

    await expect(pushing).rejects.toBe(torn);
    expect(await repository.hasBlob(blob.descriptor.digest)).toBe(false);
  });

  it("can be left in the middle of a blob and used on", async () => {
    const repository = create();
    const blob = blobOf(Buffer.alloc(3_000_000, "left"));
    await repository.pushBlob(blob);

    for await (const chunk of repository.fetchBlob(blob.descriptor)) if (chunk.length > 0) break;

    expect(await repository.hasBlob(blob.descriptor.digest)).toBe(true);
  });
}

function manifestContract(create: () => Repository, families: readonly MediaFamily[]): void {
  const [usual = "oci"] = families;

  it.each(["latest", digestOf("never")])("has no manifest %s at first", async (reference) => {
    const repository = create();

    const manifest = await repository.fetchManifest(reference);

    expect(manifest).toBeUndefined();
  });

  it.each<MediaFamily>(families)("gives back a manifest of the %s family by tag and by digest", async (family) => {
    const repository = create();
    const manifest = await pushedImage(repository, { family });

    await repository.pushManifest("v1.0_x-y", manifest);

    expect(await repository.fetchManifest("v1.0_x-y")).toEqual(asStored(manifest));
    expect(await repository.fetchManifest(manifest.digest)).toEqual(asStored(manifest));
  });

  it.each<MediaFamily>(families)("gives back an index of the %s family", async (family) => {
    const repository = create();
    const image = await pushedImage(repository, { family });
    await repository.pushManifest(image.digest, image);
    const entry = { mediaType: image.mediaType, digest: image.digest, size: image.bytes.length, platform: linux };
    const bytes = encodeIndex({ mediaType: mediaTypes[family].index, manifests: [entry] });
    const index = manifestOf(mediaTypes[family].index, bytes);

    await repository.pushManifest("multi", index);

    expect(await repository.fetchManifest("multi")).toEqual(asStored(index));
    expect(await repository.fetchManifest(index.digest)).toEqual(asStored(index));
  });

  it("gives back by digest a manifest that has no tag", async () => {
    const repository = create();
    const manifest = await pushedImage(repository, { family: usual, annotation: "untagged" });

    await repository.pushManifest(manifest.digest, manifest);

    expect(await repository.fetchManifest(manifest.digest)).toEqual(asStored(manifest));
  });

  it("moves a tag and keeps what it pointed to", async () => {
    const repository = create();
    const first = await pushedImage(repository, { family: usual, annotation: "first" });
    const second = await pushedImage(repository, { family: usual, annotation: "second" });
    await repository.pushManifest("latest", first);

    await repository.pushManifest("latest", second);

    expect((await repository.fetchManifest("latest"))?.digest).toBe(second.digest);
    expect(await repository.fetchManifest(first.digest)).toEqual(asStored(first));
  });

  it("refuses a manifest under another digest than its own", async () => {
    const repository = create();
    const manifest = await pushedImage(repository, { family: usual });

    const pushing = repository.pushManifest(digestOf("another"), manifest);

    await expect(pushing).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(await repository.fetchManifest(digestOf("another"))).toBeUndefined();
  });

  it("loses none of many tags that are pushed at the same time", async () => {
    const repository = create();
    const manifest = await pushedImage(repository, { family: usual });
    const tags = Array.from({ length: 20 }, (_, index) => `lwcache-${index}`);

    await Promise.all(tags.map((tag) => repository.pushManifest(tag, manifest)));

    const found = await Promise.all(tags.map((tag) => repository.fetchManifest(tag)));
    expect(found.map((one) => one?.digest)).toEqual(tags.map(() => manifest.digest));
  });
}

function checkContract(subject: () => RepositorySubject, family: MediaFamily = "oci"): void {
  it("refuses a manifest that misses a blob, says so, and leaves the tag as it was", async () => {
    const { create, checks = true } = subject();
    const repository = create();
    const complete = await pushedImage(repository, { family });
    await repository.pushManifest("latest", complete);
    const bytes = encodeManifest({
      mediaType: mediaTypes[family].manifest,
      config: configOf(family),
      layers: [layerOf("lost", family)],
    });

    const pushing = repository.pushManifest("latest", manifestOf(mediaTypes[family].manifest, bytes));

    if (!checks) return await expect(pushing).resolves.toBeUndefined();
    await expect(pushing).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL", details: { missingBlob: true } });
    expect((await repository.fetchManifest("latest"))?.digest).toBe(complete.digest);
  });
}

function removalContract(subject: () => RepositorySubject, family: MediaFamily = "oci"): void {
  it("removes a manifest with its tags and no other, or says that it cannot", async () => {
    const { create, removes = true } = subject();
    const repository = create();
    const gone = await pushedImage(repository, { family, annotation: "gone" });
    const kept = await pushedImage(repository, { family, annotation: "kept" });
    await repository.pushManifest("lwcache-gone", gone);
    await repository.pushManifest("latest", kept);

    const removed = await repository.removeManifest(gone.digest);

    const found = [await repository.fetchManifest("lwcache-gone"), await repository.fetchManifest(gone.digest)];
    expect(removed).toBe(removes !== false);
    expect(found.map((one) => one?.digest === gone.digest)).toEqual([removes !== true, removes === false]);
    expect(await repository.fetchManifest("latest")).toEqual(asStored(kept));
  });

  it("removes what is not there", async () => {
    const { create, removes = true } = subject();

    expect(await create().removeManifest(digestOf("never"))).toBe(removes !== false);
  });
}

function cancellationContract(create: () => Repository): void {
  const signal = AbortSignal.abort();
  const { descriptor } = blobOf("cancelled");

  it.each<{ what: string; call: (repository: Repository) => Promise<unknown> }>([
    { what: "fetchManifest", call: (repository) => repository.fetchManifest("latest", { signal }) },
    { what: "hasBlob", call: (repository) => repository.hasBlob(descriptor.digest, { signal }) },
    { what: "fetchBlob", call: (repository) => readAll(repository.fetchBlob(descriptor, { signal }), 1_000) },
    { what: "removeManifest", call: (repository) => repository.removeManifest(descriptor.digest, { signal }) },
    { what: "pushBlob", call: (repository) => repository.pushBlob(blobOf("cancelled"), { signal }) },
  ])("ends $what with CANCELLED when the signal is aborted before", async ({ call }) => {
    const repository = create();

    const calling = call(repository);

    await expect(calling).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("ends a download with CANCELLED in its middle", async () => {
    const repository = create();
    const blob = blobOf(Buffer.alloc(8_000_000, "down"));
    await repository.pushBlob(blob);
    const controller = new AbortController();

    const reading = (async () => {
      for await (const chunk of repository.fetchBlob(blob.descriptor, { signal: controller.signal })) {
        if (chunk.length > 0) controller.abort();
      }
    })();

    await expect(reading).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("ends an upload with CANCELLED in its middle", async () => {
    const repository = create();
    const controller = new AbortController();
    const content = Buffer.alloc(4_000_000, "up");
    const blob: Blob = {
      ...blobOf(content),
      async *open() {
        yield content.subarray(0, 1_000_000);
        controller.abort();
        yield content.subarray(1_000_000);
      },
    };

    const pushing = repository.pushBlob(blob, { signal: controller.signal });

    await expect(pushing).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await repository.hasBlob(blob.descriptor.digest)).toBe(false);
  });
}

function mountContract(subject: () => RepositorySubject): void {
  it("makes a blob of a sibling appear, if it mounts at all", async () => {
    const { create, mounts, sharesBlobs = mounts } = subject();
    const [source, target] = [create(), create()];
    const blob = blobOf("mounted");
    await source.pushBlob(blob);

    const mounted = await target.mountBlob(blob.descriptor, source);

    expect(mounted).toBe(mounts);
    expect(await target.hasBlob(blob.descriptor.digest)).toBe(sharesBlobs);
  });

  it("does not mount what the sibling does not have, and takes it as an upload", async () => {
    const { create } = subject();
    const [source, target] = [create(), create()];
    const blob = blobOf("nowhere");

    const mounted = await target.mountBlob(blob.descriptor, source);

    expect(mounted).toBe(false);
    await target.pushBlob(blob);
    expect(await target.hasBlob(blob.descriptor.digest)).toBe(true);
  });

  it("does not mount from another registry", async () => {
    const { create } = subject();
    const [source, target] = [create(), create()];
    const blob = blobOf("stranger");
    await source.pushBlob(blob);
    const stranger = { ...source, registry: "other.example", name: "other.example/app" };

    const mounted = await target.mountBlob(blob.descriptor, stranger);

    expect(mounted).toBe(false);
  });
}

const linux = { os: "linux", architecture: "amd64" };
const configContent = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}';

function blobOf(content: string | Uint8Array): Blob {
  const bytes = Buffer.from(content as Uint8Array);
  return {
    descriptor: { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.length },
    async *open() {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    },
  };
}

async function* failingStream(error: Error): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(1_000);
  throw error;
}

function configOf(family: MediaFamily): Descriptor {
  return { ...blobOf(configContent).descriptor, mediaType: mediaTypes[family].config };
}

function layerOf(content: string, family: MediaFamily = "oci"): Descriptor {
  return { ...blobOf(content).descriptor, mediaType: mediaTypes[family].layer.gzip };
}

/** An image whose blobs are pushed; the manifest is not. */
async function pushedImage(
  repository: Repository,
  { family = "oci", annotation }: { family?: MediaFamily; annotation?: string },
): Promise<StoredManifest> {
  await repository.pushBlob(blobOf(configContent));
  await repository.pushBlob(blobOf("layer"));
  const mediaType = mediaTypes[family].manifest;
  const annotations = annotation === undefined ? undefined : { annotation };
  const manifest = { mediaType, config: configOf(family), layers: [layerOf("layer", family)], annotations };
  return manifestOf(mediaType, encodeManifest(manifest));
}

function manifestOf(mediaType: string, bytes: Uint8Array): StoredManifest {
  return { mediaType, digest: digestOf(bytes), bytes };
}

/** Buffers compare equal only to Buffers. */
function asStored(manifest: StoredManifest): unknown {
  return { ...manifest, bytes: expect.toSatisfy((bytes: Uint8Array) => Buffer.from(manifest.bytes).equals(bytes)) };
}
