// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Repository, StoredManifest } from "../../src/ports.ts";
import { copyImage } from "../../src/publish/copy-image.ts";
import { pushLayers } from "../../src/publish/push-blobs.ts";
import type { Descriptor } from "../../src/spec/descriptor.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { encodeManifest } from "../../src/spec/manifest.ts";
import { mediaTypes } from "../../src/spec/media-type.ts";
import { formatRepository } from "../../src/spec/reference.ts";
import { readAll } from "../../src/spec/verified.ts";
import { type ImageStore, openImageStore } from "../../src/system/image-store.ts";
import { createMemoryRegistry, type MemoryRegistry } from "../memory-repository.ts";

const day = 24 * 60 * 60 * 1000;
const emit = () => undefined;

let directory: string;
let registry: MemoryRegistry;
let now: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "layerwise-store-"));
  registry = createMemoryRegistry();
  now = Date.now();
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

function openStore(dockerConfig?: string, opened: (config: string | undefined) => void = () => undefined): ImageStore {
  return openImageStore({
    directory,
    clock: { now: () => now, ticks: () => now },
    dockerConfig,
    open: (name, config) => {
      opened(config);
      return registry.repository(formatRepository(name).slice("memory.example/".length));
    },
  });
}

function descriptorOf(text: string, mediaType: string = mediaTypes.oci.layer.gzip): Descriptor {
  return { mediaType, digest: digestOf(text), size: Buffer.byteLength(text) };
}

async function pushText(repository: Repository, text: string): Promise<Descriptor> {
  const descriptor = descriptorOf(text);
  await repository.pushBlob({ descriptor, open: () => once(text) });
  return descriptor;
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function pushImage(store: ImageStore, name: string, layers: readonly Descriptor[]): Promise<StoredManifest> {
  const config = { ...(await pushText(store.repository, `{"name":"${name}"}`)), mediaType: mediaTypes.oci.config };
  const bytes = encodeManifest({ mediaType: mediaTypes.oci.manifest, config, layers });
  const manifest = { mediaType: mediaTypes.oci.manifest, digest: digestOf(bytes), bytes };
  await store.repository.pushManifest(name, manifest);
  return manifest;
}

const blobFiles = async () => await readdir(join(directory, "blobs", "sha256"));

describe("an image store", () => {
  it("keeps no copy of a layer that a registry has, and reads it from there", async () => {
    const base = registry.repository("base");
    const layer = await pushText(base, "layer of the base");
    const store = openStore();

    await pushLayers([{ descriptor: layer, source: { kind: "repository", repository: base } }], {
      to: store.repository,
      emit,
    });
    const { bytes } = await pushImage(store, "docker.io/library/app:1", [layer]);

    expect(await blobFiles()).toHaveLength(2);
    expect(await store.repository.hasBlob(layer.digest)).toBe(true);
    expect(Buffer.from(await readAll(store.repository.fetchBlob(layer), 100)).toString()).toBe("layer of the base");
    expect((await store.repository.fetchManifest("docker.io/library/app:1"))?.bytes).toEqual(bytes);
    expect(await store.names()).toEqual([{ name: "docker.io/library/app:1", digest: digestOf(bytes) }]);
  });

  it("refuses a manifest of which a layer is nowhere, as a registry does", async () => {
    const pushing = pushImage(openStore(), "docker.io/library/app:1", [descriptorOf("nowhere")]);

    await expect(pushing).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
  });

  it("has a registry mount what another repository of it is known to hold", async () => {
    const base = registry.repository("base");
    const layer = await pushText(base, "layer of the base");
    const store = openStore();
    const own = await pushText(store.repository, "made here");
    await store.repository.mountBlob(layer, base);
    await pushText(registry.repository("cache"), "made here");
    await store.note(own.digest, "memory.example/cache");
    await pushImage(store, "docker.io/library/app:1", [layer, own]);
    const to = registry.repository("target");
    const uploaded: string[] = [];
    const pushBlob = to.pushBlob;
    to.pushBlob = async (blob, call) => {
      uploaded.push(blob.descriptor.mediaType);
      await pushBlob(blob, call);
    };

    await copyImage({ from: store.repository, reference: "docker.io/library/app:1", to, tags: ["1"], emit });

    expect(uploaded).toEqual([mediaTypes.oci.config]);
  });

  it("opens a place as it was opened before, and as usual if that fails", async () => {
    const base = registry.repository("base");
    const layer = await pushText(base, "layer of the base");
    await openStore("/config/of/build").repository.mountBlob(layer, base);
    const opened: (string | undefined)[] = [];

    await readAll(openStore(undefined, (config) => opened.push(config)).repository.fetchBlob(layer), 100);
    base.blobs.clear();
    const lost = readAll(openStore().repository.fetchBlob(layer), 100);

    expect(opened.toSorted()).toEqual(["/config/of/build", undefined]);
    await expect(lost).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      hint: expect.stringContaining("build the image again"),
    });
  });

  it("takes names away one by one", async () => {
    const store = openStore();
    await pushImage(store, "docker.io/library/app:1", []);
    await pushImage(store, "docker.io/library/app:2", []);

    expect(await store.untag("docker.io/library/app:1")).toBe(true);
    expect(await store.untag("docker.io/library/app:1")).toBe(false);
    expect((await store.names()).map(({ name }) => name)).toEqual(["docker.io/library/app:2"]);
  });

  it("loses nothing when many write at once", async () => {
    const stores = Array.from({ length: 8 }, () => openStore());

    await Promise.all(stores.map(async (store, at) => await pushImage(store, `docker.io/library/app:${at}`, [])));

    expect(await openStore().names()).toHaveLength(8);
  });

  it("forgets what was not used for long, and keeps what was", async () => {
    const store = openStore();
    const base = registry.repository("base");
    const layers = [await pushText(base, "old layer"), await pushText(base, "used layer")];
    for (const layer of layers) await store.repository.mountBlob(layer, base);
    await pushImage(store, "docker.io/library/old:1", [
      layers[0] as Descriptor,
      await pushText(store.repository, "old"),
    ]);
    const used = await pushText(store.repository, "used");
    await pushImage(store, "docker.io/library/used:1", [layers[1] as Descriptor, used]);

    now += 10 * day;
    await store.repository.fetchManifest("docker.io/library/used:1");
    now += 5 * day;
    await store.clean(14 * day);

    expect((await store.names()).map(({ name }) => name)).toEqual(["docker.io/library/used:1"]);
    expect((await blobFiles()).length).toBe(3);
    expect(await store.repository.hasBlob(used.digest)).toBe(true);
    expect(await Promise.all(layers.map(({ digest }) => store.repository.hasBlob(digest)))).toEqual([false, true]);
  });

  it("is clean before it is there", async () => {
    await rm(directory, { recursive: true });

    await openStore().clean(day);

    expect(await openStore().names()).toEqual([]);
  });
});
