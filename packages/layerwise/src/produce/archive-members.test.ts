// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodeTar } from "../../../lab/src/index.ts";
import { type MemoryContext, openMemoryContext } from "../../test/memory-context.ts";
import { readArchive } from "../../test/tar-archive.ts";
import type { Archive, LayerFile } from "../plan/file-tree.ts";
import type { ContextEntry } from "../ports.ts";
import { digestOf } from "../spec/digest.ts";
import { tarOf } from "./layer-from-files.ts";

const owner = { mode: 0o640, uid: 1, gid: 2, mtime: 3 };
const large = createHash("shake256", { outputLength: 700_000 }).digest();
const tar = encodeTar([
  { path: "z", type: "file", content: "first" },
  { path: "skipped", type: "file", content: "nothing" },
  { path: "d/", type: "directory" },
  { path: "large", type: "file", content: large },
  { path: "empty", type: "file", content: "" },
  { path: "block", type: "file", content: "b".repeat(512) },
]);

async function openArchive(bytes: Buffer): Promise<{ context: MemoryContext; archive: Archive }> {
  const context = openMemoryContext({ file: bytes });
  const file = (await context.list(() => false)).get("file") as ContextEntry;
  return { context, archive: { file, digest: digestOf(bytes), compression: bytes[0] === 0x1f ? "gzip" : "none" } };
}

function layerOf(archive: Archive): readonly LayerFile[] {
  const member = (path: string, [index, size]: readonly [number, number]): LayerFile => ({
    kind: "member",
    path,
    ...owner,
    archive,
    index,
    size,
  });
  return [
    { kind: "directory", path: "x", ...owner },
    member("x/z", [0, 5]),
    member("x/large", [3, large.length]),
    member("x/empty", [4, 0]),
    member("x/block", [5, 512]),
    { kind: "hardlink", path: "x/y", target: "x/z", ...owner },
  ];
}

async function collect(chunks: AsyncIterable<Uint8Array>, sizes: number[] = []): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) {
    sizes.push(chunk.length);
    parts.push(Uint8Array.from(chunk));
  }
  return Buffer.concat(parts);
}

describe("a layer with content of archives", () => {
  it.each([
    { what: "plain", bytes: tar },
    { what: "compressed", bytes: gzipSync(tar) },
  ])("has what a $what archive holds, which is read once", async ({ bytes }) => {
    const { context, archive } = await openArchive(bytes);
    const sizes: number[] = [];

    const layer = readArchive(await collect(tarOf(layerOf(archive), { context }), sizes));

    expect(layer.map(({ entry, content }) => [entry.path, entry.kind, entry.mode, content.length])).toEqual([
      ["x", "directory", 0o640, 0],
      ["x/z", "file", 0o640, 5],
      ["x/large", "file", 0o640, large.length],
      ["x/empty", "file", 0o640, 0],
      ["x/block", "file", 0o640, 512],
      ["x/y", "hardlink", 0o640, 0],
    ]);
    expect(layer[1]?.content.toString()).toBe("first");
    expect(layer[2]?.content.equals(large)).toBe(true);
    expect(context.opened).toEqual(["file"]);
    expect(Math.max(...sizes)).toBeLessThan(800 * 1024);
  });

  it.each([
    { what: "has other content", change: (text: string) => text.replace("nothing", "somewhat") },
    { what: "has another byte behind all", change: (text: string) => `${text}x` },
    { what: "is no archive", change: () => "no archive" },
    { what: "is empty", change: () => "" },
  ])("is not made if the archive $what since the plan was made", async ({ change }) => {
    const { context, archive } = await openArchive(tar);
    context.change("file", change(tar.toString("latin1")));

    await expect(collect(tarOf(layerOf(archive), { context }))).rejects.toMatchObject({ code: "CONTEXT_CHANGED" });
  });
});
