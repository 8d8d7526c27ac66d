// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodeTar } from "../../../lab/src/index.ts";
import { openMemoryContext } from "../../test/memory-context.ts";
import type { ContextEntry } from "../ports.ts";
import { archiveCompression } from "../spec/archive-head.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { type ArchiveListing, gatherArchives } from "./gather-archives.ts";

const tar = encodeTar([
  { path: "a", type: "file", content: "a".repeat(900) },
  { path: "d/", type: "directory" },
]);
const damaged = Buffer.from(tar).fill("x", 1536, 1636);

async function listed(bytes: Uint8Array, digest: Digest = digestOf(bytes)): Promise<ArchiveListing | undefined> {
  const context = openMemoryContext({ file: bytes });
  const entry = (await context.list(() => false)).get("file") as ContextEntry;
  const compression = archiveCompression(bytes.subarray(0, 512));
  const content = {
    sources: [{ word: "file", name: "file", entry, disputed: [], below: [], leftOut: [] }],
    digests: new Map([["file", digest]]),
    archives: new Map(compression === undefined ? [] : [["file", compression]]),
    capabilities: new Map(),
  };
  return (await gatherArchives([content], { context })).get("file");
}

describe("gatherArchives", () => {
  it.each([
    { what: "a tar", bytes: tar },
    { what: "a tar that is compressed", bytes: gzipSync(tar) },
    {
      what: "members behind each other",
      bytes: Buffer.concat([gzipSync(tar.subarray(0, 9)), gzipSync(tar.subarray(9))]),
    },
    { what: "a tar with something behind its end", bytes: Buffer.concat([tar, Buffer.from("more")]) },
  ])("lists the entries of $what", async ({ bytes }) => {
    const listing = await listed(bytes);

    expect(listing?.kind === "archive" ? listing.entries.map(({ path, kind }) => `${kind} ${path}`) : listing).toEqual([
      "file a",
      "directory d",
    ]);
  });

  it.each([
    { what: "a compressed text", bytes: gzipSync("text") },
    { what: "a long compressed text", bytes: gzipSync("text".repeat(1000)) },
    { what: "an empty tar that is compressed", bytes: gzipSync(encodeTar([])) },
    { what: "a compressed header that is cut off", bytes: gzipSync(tar.subarray(0, 511)) },
  ])("takes $what for a file", async ({ bytes }) => {
    expect(await listed(bytes)).toEqual({ kind: "file" });
  });

  it.each([
    { what: "an empty tar", bytes: encodeTar([]) },
    { what: "a text", bytes: Buffer.alloc(2000, "text") },
  ])("does not look into $what", async ({ bytes }) => {
    expect(await listed(bytes)).toBe(undefined);
  });

  it.each([
    { what: "a tar without an end", bytes: tar.subarray(0, -1024), why: "its end is not marked" },
    { what: "a tar with one zero block", bytes: tar.subarray(0, -512), why: "its end is not marked" },
    { what: "a tar that is cut off", bytes: tar.subarray(0, 900), why: "it stops in the middle of an entry" },
    { what: "a tar that is damaged", bytes: damaged, why: "a header with a wrong checksum" },
    { what: "a compressed tar that is cut off", bytes: gzipSync(tar).subarray(0, -9), why: "unexpected end of file" },
    {
      what: "zeros behind a compressed tar",
      bytes: Buffer.concat([gzipSync(tar), Buffer.alloc(600)]),
      why: "something follows the compressed data",
    },
    { what: "a compressed tar with a text behind", bytes: Buffer.concat([gzipSync(tar), Buffer.from("x")]), why: "" },
    { what: "bzip2", bytes: Buffer.from("BZh9"), why: "bzip2" },
    { what: "zstd", bytes: Buffer.from("28b52ffd00", "hex"), why: "zstd" },
    { what: "a skippable frame of zstd", bytes: Buffer.from("5e2a4d1800", "hex"), why: "zstd" },
    { what: "xz", bytes: Buffer.from("fd377a585a00", "hex"), why: "xz" },
  ])("leaves $what to the engine", async ({ bytes, why }) => {
    const listing = await listed(bytes);

    expect(listing?.kind).toBe("unclear");
    expect(listing?.kind === "unclear" ? listing.why : "").toContain(why);
  });

  it("throws if the archive is no longer what was hashed", async () => {
    await expect(listed(tar, digestOf("before"))).rejects.toMatchObject({ code: "CONTEXT_CHANGED" });
  });
});
