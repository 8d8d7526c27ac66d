// SPDX-License-Identifier: Apache-2.0
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type MemoryContext, type MemoryFiles, openMemoryContext } from "../../test/memory-context.ts";
import { openMemorySpool } from "../../test/memory-spool.ts";
import { readArchive } from "../../test/tar-archive.ts";
import type { LayerFile } from "../plan/file-tree.ts";
import type { ContextEntry } from "../ports.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { layerFromFiles, tarOf } from "./layer-from-files.ts";

const owner = { uid: 1, gid: 2, mode: 0o755, mtime: 1_700_000_000 };
const large = Buffer.alloc(3_000_000, "a line of a large file\n");
const files: MemoryFiles = { "src/a": "first", "src/empty": "", "src/large": large, "src/block": "b".repeat(512) };

describe("tarOf", () => {
  it("writes entries in their order, with content, padding and an end", async () => {
    const context = openMemoryContext(files);
    const layer = await layerFiles(context);

    const archive = await collect(tarOf(layer, { context }));

    expect(archive.length % 512).toBe(0);
    expect(
      readArchive(archive).map(({ entry: { path, kind, mode, uid, gid, mtime, target }, content }) => ({
        path,
        kind,
        mode,
        uid,
        gid,
        mtime,
        target,
        content: content.toString(),
      })),
    ).toEqual([
      { path: "app", kind: "directory", ...owner, target: undefined, content: "" },
      { path: "app/a", kind: "file", ...owner, mode: 0o640, target: undefined, content: "first" },
      { path: "app/again", kind: "hardlink", ...owner, target: "app/a", content: "" },
      { path: "app/empty", kind: "file", ...owner, target: undefined, content: "" },
      { path: "app/large", kind: "file", ...owner, target: undefined, content: large.toString() },
      { path: "app/block", kind: "file", ...owner, target: undefined, content: "b".repeat(512) },
      { path: "app/link", kind: "symlink", ...owner, mode: 0o777, target: "../x", content: "" },
    ]);
  });

  it("writes the same bytes for the same files", async () => {
    const [one, other] = [openMemoryContext(files), openMemoryContext(files, { name: "elsewhere" })];

    const archives = [
      await collect(tarOf(await layerFiles(one), { context: one })),
      await collect(tarOf(await layerFiles(other), { context: other })),
    ];

    expect(digestOf(archives[0] as Buffer)).toBe(digestOf(archives[1] as Buffer));
  });

  it("writes texts of the Dockerfile as files", async () => {
    const text = "größe\n".repeat(100_000);
    const layer: readonly LayerFile[] = [
      { path: "a", kind: "document", ...owner, text },
      { path: "b", kind: "document", ...owner, text: "" },
    ];

    const archive = readArchive(await collect(tarOf(layer, { context: openMemoryContext({}) })));

    expect(
      archive.map(({ entry: { path, kind, mode, mtime }, content }) => [path, kind, mode, mtime, content.toString()]),
    ).toEqual([
      ["a", "file", owner.mode, owner.mtime, text],
      ["b", "file", owner.mode, owner.mtime, ""],
    ]);
  });

  it("writes an archive for no files at all", async () => {
    const archive = await collect(tarOf([], { context: openMemoryContext({}) }));

    expect(archive.equals(Buffer.alloc(1024))).toBe(true);
  });

  it("gathers small files, and passes large ones on in pieces", async () => {
    const many: MemoryFiles = {
      ...Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, "x"])),
      large,
    };
    const context = openMemoryContext(many);
    const layer = await Promise.all(Object.keys(many).map(async (path) => await fileFrom(context, { path, as: path })));
    const sizes: number[] = [];

    for await (const chunk of tarOf(layer, { context })) sizes.push(chunk.length);

    expect(sizes.length).toBeLessThan(20);
    expect(Math.max(...sizes)).toBeLessThan(512 * 1024);
  });

  it("reads one file after the other", async () => {
    const context = openMemoryContext(files);

    await collect(tarOf(await layerFiles(context), { context }));

    expect(context.opened).toEqual(["src/a", "src/empty", "src/large", "src/block"]);
  });

  it.each([
    { what: "grew", path: "src/a", content: "first and more" },
    { what: "grew from nothing", path: "src/empty", content: "x" },
    { what: "shrank", path: "src/a", content: "fir" },
    { what: "became empty", path: "src/block", content: "" },
    { what: "has other content of the same size", path: "src/a", content: "fist!" },
    { what: "has another byte at its end", path: "src/large", content: `${large.toString().slice(0, -1)}!` },
  ])("throws if a file $what since the plan was made", async ({ path, content }) => {
    const context = openMemoryContext(files);
    const layer = await layerFiles(context);
    context.change(path, content);

    const writing = collect(tarOf(layer, { context }));

    await expect(writing).rejects.toMatchObject({
      code: "CONTEXT_CHANGED",
      message: `could not make a layer with ${path}: it changed during the build`,
    });
  });

  it("stops when the build is interrupted", async () => {
    const context = openMemoryContext(files);
    const signal = AbortSignal.abort(new Error("interrupted"));

    await expect(collect(tarOf(await layerFiles(context), { context, signal }))).rejects.toThrow("interrupted");
    expect(context.opened).toEqual([]);
  });
});

describe("layerFromFiles", () => {
  it("makes a gzip layer whose digests are those of its bytes", async () => {
    const [context, spool] = [openMemoryContext(files), openMemorySpool()];
    const plain = await collect(tarOf(await layerFiles(context), { context }));

    const layer = await layerFromFiles(await layerFiles(context), { context, spool });

    expect(layer.diffId).toBe(digestOf(plain));
    expect(layer.source.kind).toBe("made");
    const stored = layer.source.kind === "made" ? await collect(layer.source.blob.open()) : Buffer.alloc(0);
    expect(layer.descriptor).toEqual({
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      digest: digestOf(stored),
      size: stored.length,
    });
    expect(gunzipSync(stored).equals(plain)).toBe(true);
  });

  it("can be read any number of times", async () => {
    const context = openMemoryContext(files);
    const layer = await layerFromFiles(await layerFiles(context), { context, spool: openMemorySpool() });
    if (layer.source.kind !== "made") throw new Error("it must be made");

    const [once, twice] = [await collect(layer.source.blob.open()), await collect(layer.source.blob.open())];

    expect(once.equals(twice)).toBe(true);
  });

  it("leaves nothing in the spool if it fails", async () => {
    const [context, spool] = [openMemoryContext(files), openMemorySpool()];
    const layer = await layerFiles(context);
    context.change("src/block", "changed");

    await expect(layerFromFiles(layer, { context, spool })).rejects.toMatchObject({ code: "CONTEXT_CHANGED" });

    expect(spool.files.size).toBe(0);
  });
});

async function layerFiles(context: MemoryContext): Promise<readonly LayerFile[]> {
  const file = async (path: string, as: string): Promise<LayerFile> => await fileFrom(context, { path, as });
  return [
    { path: "app", kind: "directory", ...owner },
    { ...(await file("src/a", "app/a")), mode: 0o640 },
    { path: "app/again", kind: "hardlink", target: "app/a", ...owner },
    await file("src/empty", "app/empty"),
    await file("src/large", "app/large"),
    await file("src/block", "app/block"),
    { path: "app/link", kind: "symlink", target: "../x", ...owner, mode: 0o777 },
  ];
}

async function fileFrom(context: MemoryContext, { path, as }: { path: string; as: string }): Promise<LayerFile> {
  const from = (await context.list(() => false)).get(path) as ContextEntry;
  const [digest] = await context.digests([from]);
  return { path: as, kind: "file", ...owner, from, digest: digest as Digest };
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk));
  return Buffer.concat(parts);
}
