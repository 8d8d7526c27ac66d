// SPDX-License-Identifier: Apache-2.0
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodeTar } from "../../../lab/src/index.ts";
import { configOf, exportedByBuildKit, savedByDocker20, savedByDocker28 } from "../../test/engine-archive.ts";
import { createMemoryRegistry, type MemoryRepository } from "../../test/memory-repository.ts";
import { type MemorySpool, openMemorySpool } from "../../test/memory-spool.ts";
import type { EngineResult } from "../ports.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { encodeImageConfig, type ImageConfig } from "../spec/image-config.ts";
import { encodeManifest, imageManifest } from "../spec/manifest.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { type EngineImage, takeEngineImage } from "./engine-layers.ts";
import type { ImageLayer } from "./image.ts";

const [lower, upper] = ["lower", "upper"].map((content) => encodeTar([{ path: "a", type: "file", content }])) as [
  Buffer,
  Buffer,
];
const layers = [lower, upper];
const config = configOf(layers, { config: { Cmd: ["x"] } });

describe("takeEngineImage", () => {
  it.each([
    { what: "Docker 20.10", archive: savedByDocker20({ layers, config }) },
    { what: "Docker 28", archive: savedByDocker28({ layers, config }) },
    { what: "BuildKit", archive: exportedByBuildKit({ layers, config }) },
  ])("takes over an archive of $what as gzip layers", async ({ archive }) => {
    const image = await take(archive);

    expect(image).toMatchObject({ config, family: undefined });
    expect(image.layers.map(({ diffId }) => diffId)).toEqual(config.diffIds);
    expect(await Promise.all(image.layers.map(unpacked))).toEqual(layers);
  });

  it("leaves known layers where they are, and keeps none of their bytes", async () => {
    const [known, spool] = [knownLayer(lower), openMemorySpool()];

    const image = await take(savedByDocker20({ layers, config }), { known: [known], spool });

    expect(image.layers[0]).toBe(known);
    expect(await unpacked(image.layers[1] as ImageLayer)).toEqual(upper);
    expect(spool.files.size).toBe(1);
  });

  it.each([
    { what: "Docker 20.10", write: savedByDocker20 },
    { what: "Docker 28", write: (image: { layers: Buffer[]; config: ImageConfig }) => savedByDocker28(image) },
    { what: "BuildKit", write: (image: { layers: Buffer[]; config: ImageConfig }) => exportedByBuildKit(image) },
  ])("can read a layer that occurs several times: $what", async ({ write }) => {
    const same = [upper, lower, upper, upper];

    const image = await take(write({ layers: same, config: configOf(same) }));

    expect(await Promise.all(image.layers.map(unpacked))).toEqual(same);
  });

  it("lets go of the engine's archive, also if it cannot be read", async () => {
    let released = 0;
    const result = (archive: Buffer): EngineResult => ({ ...resultOf(archive), release: async () => void released++ });

    await takeEngineImage(result(savedByDocker28({ layers, config })), taking());
    await takeEngineImage(result(Buffer.alloc(600, "x")), taking()).catch(() => undefined);

    expect(released).toBe(2);
  });

  it.each([
    {
      what: "another number of layers than its config says",
      archive: savedByDocker28({ layers, config: configOf([lower]) }),
      why: "its config and its layers disagree",
    },
    {
      what: "another layer than its config says",
      archive: savedByDocker28({ layers, config: configOf([lower, lower]) }),
      why: "is not what its config says",
    },
  ])("refuses an archive with $what", async ({ archive, why }) => {
    await expect(take(archive)).rejects.toMatchObject({
      code: "ENGINE_UNSUPPORTED",
      message: expect.stringContaining(why),
    });
  });

  it("reads what an engine pushed, and no layer of it", async () => {
    const repository = createMemoryRegistry().repository("app");
    const digest = await push(repository);
    const known = knownLayer(lower);
    repository.fetchBlob = onlyFrom(repository, digestOf(encodeImageConfig(config)));

    const image = await takeEngineImage({ kind: "pushed", digest }, { ...taking([known]), pushedTo: repository });

    expect(image).toMatchObject({ config, family: "docker" });
    expect(image.layers[0]).toBe(known);
    expect(image.layers[1]).toMatchObject({ diffId: digestOf(upper), source: { kind: "repository", repository } });
  });

  it("says which image it cannot find", async () => {
    const repository = createMemoryRegistry().repository("app");

    const taken = takeEngineImage({ kind: "pushed", digest: digestOf("gone") }, { ...taking(), pushedTo: repository });

    await expect(taken).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      message: `could not find the image that the engine pushed as memory.example/app@${digestOf("gone")}`,
    });
  });
});

function taking(
  known: readonly ImageLayer[] = [],
  spool: MemorySpool = openMemorySpool(),
): Parameters<typeof takeEngineImage>[1] {
  return { spool, known: new Map(known.map((layer) => [layer.diffId, layer])), pushedTo: undefined };
}

async function take(
  archive: Buffer,
  { known = [], spool }: { known?: ImageLayer[]; spool?: MemorySpool } = {},
): Promise<EngineImage> {
  return await takeEngineImage(resultOf(archive), taking(known, spool));
}

function resultOf(archive: Buffer): Extract<EngineResult, { kind: "archive" }> {
  return {
    kind: "archive",
    async *open() {
      yield archive;
    },
    release: async () => undefined,
  };
}

function knownLayer(layer: Buffer): ImageLayer {
  const zipped = gzipSync(layer);
  const descriptor = { mediaType: mediaTypes.oci.layer.gzip, digest: digestOf(zipped), size: zipped.length };
  const repository = createMemoryRegistry().repository("base");
  return { diffId: digestOf(layer), descriptor, source: { kind: "repository", repository } };
}

async function unpacked({ source, descriptor }: ImageLayer): Promise<Buffer> {
  if (source.kind !== "made") throw new Error("its bytes are not here");
  const parts: Uint8Array[] = [];
  for await (const chunk of source.blob.open()) parts.push(chunk);
  const bytes = Buffer.concat(parts);
  expect([digestOf(bytes), bytes.length]).toEqual([descriptor.digest, descriptor.size]);
  return gunzipSync(bytes);
}

async function push(repository: MemoryRepository): Promise<Digest> {
  const blob = (bytes: Uint8Array, mediaType: string) => {
    repository.blobs.set(digestOf(bytes), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const manifest = imageManifest("docker", {
    config: blob(encodeImageConfig(config), mediaTypes.docker.config),
    layers: layers.map((layer) => blob(gzipSync(layer), mediaTypes.docker.layer.gzip)),
  });
  const bytes = encodeManifest(manifest);
  await repository.pushManifest(digestOf(bytes), { mediaType: manifest.mediaType, digest: digestOf(bytes), bytes });
  return digestOf(bytes);
}

function onlyFrom(repository: MemoryRepository, allowed: Digest): MemoryRepository["fetchBlob"] {
  const { fetchBlob } = repository;
  return (descriptor, options) => {
    if (descriptor.digest !== allowed) throw new Error(`${descriptor.digest} must not be fetched`);
    return fetchBlob(descriptor, options);
  };
}
