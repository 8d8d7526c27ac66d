// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeTar, type TarItem } from "../../../lab/src/index.ts";
import { configOf, exportedByBuildKit, savedByDocker20, savedByDocker28 } from "../../test/engine-archive.ts";
import { openMemorySpool } from "../../test/memory-spool.ts";
import { cut, pieceSizes } from "../../test/tar-archive.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { encodeImageConfig } from "../spec/image-config.ts";
import { type ImageArchive, readImageArchive } from "./image-archive.ts";

const lower = encodeTar([{ path: "a", type: "file", content: "lower" }]);
const upper = encodeTar([{ path: "b", type: "file", content: "upper" }]);
const layers = [lower, upper];
const config = configOf(layers);

const writers = [
  { what: "Docker 20.10", archive: savedByDocker20({ layers, config }), isGzip: false },
  { what: "Docker 28, classic store", archive: savedByDocker28({ layers, config }), isGzip: false },
  {
    what: "Docker 28, containerd store",
    archive: savedByDocker28({ layers, config }, (layer) => gzipSync(layer)),
    isGzip: true,
  },
  { what: "BuildKit", archive: exportedByBuildKit({ layers, config }), isGzip: true },
  {
    what: "BuildKit with attestations",
    archive: exportedByBuildKit({ layers, config }, { attested: true }),
    isGzip: true,
  },
];

describe("readImageArchive", () => {
  it.each(writers)("reads what $what writes", async ({ archive, isGzip }) => {
    const image = await read(archive);

    expect(Buffer.from(image.configBytes).equals(encodeImageConfig(config))).toBe(true);
    const stored = layers.map((layer) => (isGzip ? gzipSync(layer) : layer));
    expect(image.layers.map(({ file, ...layer }) => layer)).toEqual(
      stored.map((bytes) => ({ digest: digestOf(bytes), size: bytes.length, isGzip })),
    );
    expect(await Promise.all(image.layers.map(contentOf))).toEqual(stored);
  });

  it.each(writers)("reads the same in pieces of any size: $what", async ({ archive }) => {
    const whole = await summary(await read(archive));

    await fc.assert(
      fc.asyncProperty(fc.oneof(pieceSizes, fc.constantFrom([511], [513], [1])), async (sizes) => {
        expect(await summary(await read(archive, { sizes }))).toEqual(whole);
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    {
      what: "Docker 20.10",
      archive: savedByDocker20({ layers: [lower, upper, lower], config: configOf([lower, upper, lower]) }),
    },
    {
      what: "Docker 28",
      archive: savedByDocker28({ layers: [lower, upper, lower], config: configOf([lower, upper, lower]) }),
    },
  ])("reads a layer that occurs twice: $what", async ({ archive }) => {
    const image = await read(archive);

    expect(image.layers.map(({ digest }) => digest)).toEqual([lower, upper, lower].map((layer) => digestOf(layer)));
    expect(await contentOf(image.layers[2] as ImageArchive["layers"][number])).toEqual(lower);
  });

  it("reads an image without layers", async () => {
    expect((await read(savedByDocker28({ layers: [], config: configOf([]) }))).layers).toEqual([]);
  });

  it("reads layers that are larger than any document, whatever they are called", async () => {
    const large = encodeTar([{ path: "large", type: "file", content: Buffer.alloc(5 * 1024 * 1024, "x") }]);
    const archive = encodeTar([
      { path: "some/name.tar", type: "file", content: large },
      { path: "config.json", type: "file", content: encodeImageConfig(configOf([large])) },
      {
        path: "manifest.json",
        type: "file",
        content: JSON.stringify([{ Config: "config.json", Layers: ["some/name.tar"] }]),
      },
    ]);

    const image = await read(archive, { sizes: [100_000] });

    expect(image.layers[0]?.digest).toBe(digestOf(large));
    expect((await contentOf(image.layers[0] as ImageArchive["layers"][number])).length).toBe(large.length);
  });

  it("keeps no bytes of a layer that it is told is known", async () => {
    const known = digestOf(lower);

    const image = await read(savedByDocker28({ layers, config }), { known });

    expect(image.layers.map(({ digest, file }) => [digest, file !== undefined])).toEqual([
      [known, false],
      [digestOf(upper), true],
    ]);
  });

  it.each([
    { what: "no archive", archive: Buffer.alloc(2048, "x"), why: "a header with a wrong checksum" },
    {
      what: "an archive that stops",
      archive: writers[3]?.archive.subarray(0, 530),
      why: "it stops in the middle of an entry",
    },
    { what: "an archive of something else", archive: lower, why: "it has no index.json" },
    { what: "a manifest that is no JSON", archive: tar({ "manifest.json": "{" }), why: "manifest.json is no JSON" },
    { what: "a manifest of another form", archive: tar({ "manifest.json": '{"a":1}' }), why: "" },
    { what: "no image at all", archive: tar({ "manifest.json": "[]" }), why: "" },
    {
      what: "no config",
      archive: tar({ "manifest.json": '[{"Config":"c.json","Layers":[]}]' }),
      why: "it has no c.json",
    },
    {
      what: "a missing layer",
      archive: tar({ "c.json": "{}", "manifest.json": '[{"Config":"c.json","Layers":["l.tar"]}]' }),
      why: "it has no l.tar",
    },
    { what: "an index without manifests", archive: tar({ "index.json": '{"manifests":[]}' }), why: "" },
    {
      what: "an index that refers to nothing",
      archive: tar({ "index.json": `{"manifests":[{"digest":"${digestOf("x")}"}]}` }),
      why: "it has no blobs/sha256/",
    },
  ])("refuses $what", async ({ archive, why }) => {
    await expect(read(archive as Buffer)).rejects.toMatchObject({
      code: "ENGINE_UNSUPPORTED",
      message: expect.stringContaining(`could not read the image that the engine made: ${why}`),
    });
  });

  it("lets an error of the stream through as it is", async () => {
    const gone = new Error("gone");
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield writers[0]?.archive.subarray(0, 1000) as Buffer;
      throw gone;
    }

    const reading = readImageArchive(failing(), { spool: openMemorySpool(), isKnown: () => false });

    await expect(reading).rejects.toBe(gone);
  });
});

async function read(
  archive: Buffer,
  { sizes = [64 * 1024], known }: { sizes?: readonly number[]; known?: Digest } = {},
): Promise<ImageArchive> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    // One buffer for all pieces: what is kept must be copied.
    const buffer = Buffer.alloc(Math.max(...sizes));
    for (const piece of cut(archive, sizes)) {
      buffer.set(piece);
      yield buffer.subarray(0, piece.length);
    }
  }
  return await readImageArchive(stream(), { spool: openMemorySpool(), isKnown: (digest) => digest === known });
}

async function summary(image: ImageArchive): Promise<unknown> {
  const contents = await Promise.all(image.layers.map(async (layer) => digestOf(await contentOf(layer))));
  return [
    digestOf(image.configBytes),
    image.layers.map(({ digest, size, isGzip }) => [digest, size, isGzip]),
    contents,
  ];
}

async function contentOf({ file }: ImageArchive["layers"][number]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of file?.open() ?? []) parts.push(chunk);
  return Buffer.concat(parts);
}

function tar(files: Readonly<Record<string, string>>): Buffer {
  return encodeTar(Object.entries(files).map(([path, content]): TarItem => ({ path, type: "file", content })));
}
