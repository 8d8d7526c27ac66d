// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { digestOf } from "./digest.ts";
import { readAll, verified } from "./verified.ts";

const text = "sixteen bytes ok";
const descriptor = { digest: digestOf(text), size: text.length };

describe("verified", () => {
  it("passes on bytes that are what the descriptor says", async () => {
    const stream = chunksOf("sixteen ", "bytes ", "ok");

    const chunks = await collected(verified(stream, descriptor));

    expect(chunks).toEqual(["sixteen ", "bytes ", "ok"]);
  });

  it("accepts an empty blob", async () => {
    const chunks = await collected(verified(chunksOf(), { digest: digestOf(""), size: 0 }));

    expect(chunks).toEqual([]);
  });

  it.each([
    { what: "a missing end", parts: ["sixteen ", "bytes"], why: "it has 13 bytes and should have 16" },
    { what: "superfluous bytes", parts: ["sixteen ", "bytes ok!"], why: "it has more than the 16 bytes" },
    { what: "other bytes", parts: ["sixteen ", "bytes OK"], why: "its digest is sha256:" },
  ])("refuses $what and never hands out the whole size of wrong bytes", async ({ parts, why }) => {
    const seen: string[] = [];

    const reading = collected(verified(chunksOf(...parts), descriptor, { source: "registry.example/app" }), seen);

    await expect(reading).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
      message: expect.stringContaining(`from registry.example/app: ${why}`),
    });
    expect(seen.join("").length).toBeLessThan(descriptor.size);
  });

  it("refuses bytes after the end without handing them out", async () => {
    const seen: string[] = [];

    const reading = collected(verified(chunksOf("sixteen ", "bytes ok", "!"), descriptor), seen);

    await expect(reading).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(seen).toEqual(["sixteen ", "bytes ok"]);
  });

  it("refuses another digest than that of nothing for an empty blob", async () => {
    const reading = collected(verified(chunksOf(), { digest: digestOf("something"), size: 0 }));

    await expect(reading).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  it("lets an error of the stream through as it is", async () => {
    const broken = new Error("torn");
    async function* tearing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("six");
      throw broken;
    }

    const reading = collected(verified(tearing(), descriptor));

    await expect(reading).rejects.toBe(broken);
  });
});

describe("readAll", () => {
  it("joins the chunks", async () => {
    const bytes = await readAll(chunksOf("a", "b", "c"), 3);

    expect(Buffer.from(bytes).toString()).toBe("abc");
  });

  it("refuses one byte too many", async () => {
    const reading = readAll(chunksOf("ab", "cd"), 3, { source: "registry.example/app" });

    await expect(reading).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      message: "could not read a document from registry.example/app: it is longer than 3 bytes",
    });
  });
});

async function* chunksOf(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function collected(stream: AsyncIterable<Uint8Array>, seen: string[] = []): Promise<string[]> {
  for await (const chunk of stream) seen.push(Buffer.from(chunk).toString());
  return seen;
}
