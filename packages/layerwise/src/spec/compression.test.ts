// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { cut } from "../../test/tar-archive.ts";
import { canDecompress, compressDocument, decompressDocument, decompressed } from "./compression.ts";

const text = Buffer.from("some text that is long enough to be cut into pieces ".repeat(40));

describe("decompressed", () => {
  it.each([1, 7, 4096])("unpacks gzip that comes in pieces of %d bytes", async (size) => {
    const bytes = await collect(decompressed(stream(gzipSync(text), size), "gzip"));

    expect(bytes.equals(text)).toBe(true);
  });

  it("unpacks several members behind each other, as lazily pulled layers have them", async () => {
    const members = Buffer.concat([gzipSync(text), gzipSync(""), gzipSync("end")]);

    const bytes = await collect(decompressed(stream(members, 100), "gzip"));

    expect(bytes.toString()).toBe(`${text}end`);
  });

  it("passes on what is not compressed", async () => {
    const bytes = await collect(decompressed(stream(text, 100), "none"));

    expect(bytes.equals(text)).toBe(true);
  });

  it.each([
    { what: "cut off", bytes: gzipSync(text).subarray(0, -20) },
    { what: "no gzip", bytes: Buffer.from("no gzip at all") },
    { what: "damaged", bytes: damaged(gzipSync(text)) },
  ])("fails on bytes that are $what", async ({ bytes }) => {
    await expect(collect(decompressed(stream(bytes, 64), "gzip"))).rejects.toMatchObject({ code: /^Z_/ });
  });

  it.each(["gzip", "none"] as const)("lets an error of the source through as it is: %s", async (compression) => {
    const torn = new Error("torn");
    async function* tearing(): AsyncGenerator<Uint8Array> {
      yield gzipSync(text).subarray(0, 50);
      throw torn;
    }

    await expect(collect(decompressed(tearing(), compression))).rejects.toBe(torn);
  });

  it("ends the source when the reader has had enough", async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield gzipSync(text);
      } finally {
        ended = true;
      }
    }

    for await (const _ of decompressed(endless(), "gzip")) break;
    await new Promise((resolve) => setImmediate(resolve));

    expect(ended).toBe(true);
  });
});

describe("canDecompress", () => {
  it("knows gzip and plain everywhere", () => {
    expect([canDecompress("gzip"), canDecompress("none")]).toEqual([true, true]);
  });
});

describe("compressDocument and decompressDocument", () => {
  it("give the document back, and the same bytes each time", () => {
    const compressed = compressDocument(text);

    expect(Buffer.from(decompressDocument(compressed, text.length)).equals(text)).toBe(true);
    expect(compressDocument(text)).toEqual(compressed);
    expect(compressed.length).toBeLessThan(text.length / 4);
  });

  it("keep neither a name nor a time", () => {
    // RFC 1952, section 2.3: flags and modification time.
    expect([...compressDocument(text).subarray(3, 8)]).toEqual([0, 0, 0, 0, 0]);
  });

  it.each([
    { what: "longer than allowed", bytes: compressDocument(text), most: text.length - 1 },
    { what: "cut off", bytes: compressDocument(text).subarray(0, -10), most: 10_000 },
    { what: "no gzip", bytes: text, most: 10_000 },
  ])("refuse what is $what", ({ bytes, most }) => {
    expect(() => decompressDocument(bytes, most)).toThrow(expect.objectContaining({ code: "REGISTRY_PROTOCOL" }));
  });
});

async function* stream(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  yield* cut(bytes, [size]);
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk));
  return Buffer.concat(parts);
}

function damaged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0xff, copy.length - 20, copy.length - 12);
  return copy;
}
