// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeTar, type TarItem } from "../../../lab/src/index.ts";
import { cut, entryPath, pieceSizes } from "../../test/tar-archive.ts";
import { digestOf } from "./digest.ts";
import { collectLayerFiles, groupByDirectory, type LayerEntry, type LayerFiles } from "./layer-files.ts";
import { decodeLayerFiles, encodeLayerFiles } from "./layer-files-document.ts";
import { TarError } from "./tar-reader.ts";

const diffId = digestOf("a layer");

describe("collectLayerFiles", () => {
  it("lists what a layer says, in its order", () => {
    const entries = entriesIn([
      { path: "usr/", type: "directory", mode: 0o2755, uid: 1, gid: 2, mtime: 7 },
      { path: "usr/file", type: "file", mode: 0o4755, uid: 3, gid: 4, mtime: 8, content: "text" },
      { path: "usr/link", type: "symlink", linkPath: "../lib/", uid: 5, gid: 6 },
      { path: "null", type: "character", mode: 0o666, device: { major: 1, minor: 3 } },
      { path: "pipe", type: "fifo", mode: 0o600 },
    ]);

    expect(entries).toEqual([
      { kind: "directory", path: "usr", mode: 0o2755, uid: 1, gid: 2, mtime: 7 },
      { kind: "file", path: "usr/file", mode: 0o4755, uid: 3, gid: 4, mtime: 8 },
      { kind: "symlink", path: "usr/link", target: "../lib/", uid: 5, gid: 6 },
      { kind: "device", path: "null", mode: 0o666, uid: 0, gid: 0, mtime: 0 },
      { kind: "device", path: "pipe", mode: 0o600, uid: 0, gid: 0, mtime: 0 },
    ]);
  });

  it("reads whiteouts, and passes over a union file system's own records", () => {
    const entries = entriesIn(
      ["usr/.wh.gone", ".wh.top", "usr/.wh..wh..opq", ".wh..wh..opq", ".wh..wh.plnk/4.5", ".wh..wh.aufs"].map(file),
    );

    expect(entries).toEqual([
      { kind: "whiteout", path: "usr/gone" },
      { kind: "whiteout", path: "top" },
      { kind: "opaque", path: "usr" },
      { kind: "opaque", path: "" },
    ]);
  });

  it("takes a hard link for what it is a link to", () => {
    const entries = entriesIn([
      file("file"),
      { path: "link", type: "symlink", linkPath: "elsewhere", uid: 7 },
      { path: "device", type: "block", device: { major: 8, minor: 0 } },
      { path: "hard/file", type: "link", linkPath: "./file", mode: 0o640, uid: 9 },
      { path: "hard/link", type: "link", linkPath: "/link" },
      { path: "hard/device", type: "link", linkPath: "device" },
      { path: "hard/again", type: "link", linkPath: "hard/link" },
    ]);

    expect(entries.slice(3)).toEqual([
      { kind: "file", path: "hard/file", mode: 0o640, uid: 9, gid: 0, mtime: 0 },
      { kind: "symlink", path: "hard/link", target: "elsewhere", uid: 7, gid: 0 },
      { kind: "device", path: "hard/device", mode: 0o644, uid: 0, gid: 0, mtime: 0 },
      { kind: "symlink", path: "hard/again", target: "elsewhere", uid: 7, gid: 0 },
    ]);
  });

  it.each(["missing", "directory", "gone"])("refuses a hard link to what is no file before it: %s", (target) => {
    const items: TarItem[] = [
      { path: "directory", type: "directory" },
      file(".wh.gone"),
      { path: "link", type: "link", linkPath: target },
      file("missing"),
    ];

    expect(() => collected(items)).toThrow(TarError);
  });

  it("keeps the files that name users and groups, byte for byte", () => {
    const { texts } = collected([
      { path: "./etc/passwd", type: "file", content: Buffer.from([0x72, 0xff, 0x0a]) },
      { path: "etc/group", type: "file", content: "" },
      { path: "other/etc/passwd", type: "file", content: "no" },
      { path: "etc/passwd-", type: "file", content: "no" },
    ]);

    expect(texts).toEqual(
      new Map([
        ["etc/passwd", "r\u00ff\n"],
        ["etc/group", ""],
      ]),
    );
  });

  it("keeps no text where there is none to keep", () => {
    const long = "x".repeat(1024 * 1024 + 1);
    const replaced: TarItem[] = [
      { path: "etc/passwd", type: "file", content: "old" },
      { path: "etc/group", type: "file", content: "old" },
    ];

    expect(collected([{ path: "etc/passwd", type: "file", content: long }]).texts.size).toBe(0);
    expect(collected([{ path: "etc/passwd", type: "symlink", linkPath: "x" }]).texts.size).toBe(0);
    expect(
      collected([
        ...replaced,
        { path: "etc/passwd", type: "link", linkPath: "etc/group" },
        { path: "etc/group", type: "file", content: "new" },
      ]).texts,
    ).toEqual(new Map([["etc/group", "new"]]));
  });

  it("says the same from pieces of any size", () => {
    const items: TarItem[] = [
      { path: "etc/passwd", type: "file", content: "root:x:0:0\n".repeat(200) },
      { path: `${"d".repeat(120)}/`, type: "directory", uid: 3_000_000 },
    ];
    fc.assert(
      fc.property(pieceSizes, (sizes) => {
        expect(collected(items, sizes)).toEqual(collected(items));
      }),
      { numRuns: 30 },
    );
  });

  it("throws a TarError on what is no archive", () => {
    expect(() => collectLayerFiles().write(Buffer.alloc(1024, "x"))).toThrow(TarError);
  });

  it("throws a TarError on half an archive", () => {
    const collector = collectLayerFiles();
    collector.write(encodeTar([{ path: "a", type: "file", content: "text" }]).subarray(0, 514));

    expect(() => collector.end()).toThrow(TarError);
  });
});

describe("encodeLayerFiles and decodeLayerFiles", () => {
  it("give back everything but the times of files", () => {
    fc.assert(
      fc.property(fc.array(layerFiles, { maxLength: 3 }), (layers) => {
        const read = decodeLayerFiles(encodeLayerFiles(layers), "registry.example/app");

        expect(read.map(flat)).toEqual(
          layers.map(flat).map((layer) => ({ ...layer, entries: layer.entries.map(withoutFileTime) })),
        );
        expect(read.map(kinds)).toEqual(layers.map(kinds));
      }),
      { numRuns: 200 },
    );
  });

  it("give the same bytes for the same layers", () => {
    const layer: LayerFiles = {
      diffId,
      ...collected([file("usr/bin/sh"), file("usr/bin/ls")]),
    };

    const text = Buffer.from(encodeLayerFiles([layer])).toString();

    expect(text).toBe(
      `{"version":1,"layers":[{"diffId":"${diffId}","texts":{},"directories":[["usr/bin",[["sh","f644"],["ls","f644"]]]]}]}`,
    );
  });

  it.each([
    { what: "no JSON", text: "{" },
    { what: "another version", text: '{"version":2,"layers":[]}' },
    { what: "no layers", text: '{"version":1}' },
    { what: "no digest", text: layerText("[]", "sha256:12") },
    { what: "an entry that is no list", text: layerText('[["usr",["sh"]]]') },
    { what: "an entry without a type", text: layerText('[["usr",[["sh"]]]]') },
    { what: "a name that is no text", text: layerText('[["usr",[[1,"f644"]]]]') },
    { what: "a type that does not exist", text: layerText('[["usr",[["sh","x644"]]]]') },
    { what: "a mode that is no octal number", text: layerText('[["usr",[["sh","f999"]]]]') },
    { what: "a file without a mode", text: layerText('[["usr",[["sh","f"]]]]') },
    { what: "a symlink without a target", text: layerText('[["usr",[["sh","l"]]]]') },
    { what: "a time that is a text", text: layerText('[["usr",[["sh","d755","now"]]]]') },
    { what: "a directory that leads out", text: layerText('[["usr/../..",[["sh","f644"]]]]') },
    { what: "a directory from the machine's root", text: layerText('[["/usr",[["sh","f644"]]]]') },
    { what: "a name that leads out", text: layerText('[["usr",[["..","d755"]]]]') },
    { what: "a name that is a path", text: layerText('[["usr",[["../../sh","f644"]]]]') },
    { what: "a file without a name", text: layerText('[["usr",[["","f644"]]]]') },
    { what: "an owner without a group", text: layerText('[["usr",[["sh","f644",0,1]]]]') },
    { what: "an owner that is a text", text: layerText('[["usr",[["sh","f644",0,"root","root"]]]]') },
  ])("refuse $what", ({ text }) => {
    expect(() => decodeLayerFiles(Buffer.from(text), "registry.example/app")).toThrow(
      expect.objectContaining({
        code: "REGISTRY_PROTOCOL",
        message: expect.stringContaining("could not read the layer files document of registry.example/app: "),
      }),
    );
  });
});

function collected(items: readonly TarItem[], sizes?: readonly number[]): Omit<LayerFiles, "diffId"> {
  const collector = collectLayerFiles();
  const archive = encodeTar(items);
  for (const piece of cut(archive, sizes ?? [archive.length])) collector.write(piece);
  return collector.end();
}

function entriesIn(items: readonly TarItem[]): LayerEntry[] {
  return flat({ diffId, ...collected(items) }).entries;
}

function flat({ diffId: digest, directories, texts }: LayerFiles) {
  return { digest, entries: directories.flatMap(({ entries }) => entries), texts };
}

function kinds({ directories }: LayerFiles) {
  return directories.map(({ path, hasPlaced, isOpaqueOnly }) => ({ path, hasPlaced, isOpaqueOnly }));
}

function file(path: string): TarItem {
  return { path, type: "file" };
}

function layerText(directories: string, digest: string = diffId): string {
  return `{"version":1,"layers":[{"diffId":"${digest}","texts":{},"directories":${directories}}]}`;
}

const attributes = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.constantFrom(0, 0, 1000, 2 ** 32 - 2),
  gid: fc.constantFrom(0, 0, 1000),
  mtime: fc.integer({ min: -1, max: 2 ** 33 }),
});

const layerEntry: fc.Arbitrary<LayerEntry> = fc
  .tuple(
    entryPath,
    attributes,
    fc.constantFrom<LayerEntry["kind"]>("directory", "file", "device", "symlink", "whiteout", "opaque"),
  )
  .map(([path, { mode, uid, gid, mtime }, kind]): LayerEntry => {
    if (kind === "whiteout") return { kind, path };
    if (kind === "opaque") return { kind, path: mode % 2 === 0 ? "" : path };
    if (kind === "symlink") return { kind, path, target: mode % 3 === 0 ? "" : `../${path}`, uid, gid };
    return { kind, path, mode, uid, gid, mtime };
  });

const layerFiles: fc.Arbitrary<LayerFiles> = fc.record({
  diffId: fc.string().map((text) => digestOf(text)),
  directories: fc.array(layerEntry, { maxLength: 12 }).map(groupByDirectory),
  texts: fc
    .dictionary(fc.constantFrom("etc/passwd", "etc/group"), fc.string())
    .map((texts) => new Map(Object.entries(texts))),
});

function withoutFileTime(entry: LayerEntry): LayerEntry {
  return entry.kind === "file" || entry.kind === "device" ? { ...entry, mtime: 0 } : entry;
}
