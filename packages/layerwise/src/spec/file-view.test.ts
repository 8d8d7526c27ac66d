// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeTar, type ImageTree, mergeLayers as mergeIndependently, type TarItem } from "../../../lab/src/index.ts";
import { digestOf } from "./digest.ts";
import { type DirectoryNode, mergeLayers, type Node, nodeAt, partsOf } from "./file-view.ts";
import { collectLayerFiles, groupByDirectory, type LayerEntry, type LayerFiles } from "./layer-files.ts";
import { decodeLayerFiles, encodeLayerFiles } from "./layer-files-document.ts";

const diffId = digestOf("a layer");
const plain = { mode: 0o755, uid: 0, gid: 0, mtime: 0 } as const;

describe("mergeLayers", () => {
  it("tells the same of a path, whatever else is listed", () => {
    fc.assert(
      fc.property(fc.array(layerItems, { maxLength: 4 }), fc.array(path, { maxLength: 3 }), (layers, asked) => {
        const files = layers.map(encodeTar).map(filesOf);
        const listed = new Set(["", ...asked.flatMap(lineage)]);

        const part = mergeLayers(files, listed);

        expect(listedOnly(part, { at: "", listed })).toEqual(listedOnly(mergeLayers(files), { at: "", listed }));
      }),
      { numRuns: 1000 },
    );
  });

  it("says of which directories it does not know the children", () => {
    const root = mergeLayers(
      [{ diffId, directories: groupByDirectory([file("a/b/c"), file("d/e")]), texts: new Map() }],
      new Set(["", "a"]),
    );

    expect(nodeAt(root, "a")).not.toHaveProperty("isUnlisted");
    expect(nodeAt(root, "a/b")).toMatchObject({ isUnlisted: true, implied: true });
    expect(nodeAt(root, "d")).toMatchObject({ isUnlisted: true });
  });

  it("sees the tree that another implementation sees", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(layerItems, { maxLength: 4 }), async (layers) => {
        const archives = layers.map(encodeTar);

        const merged = mergeLayers(archives.map(filesOf));

        expect(shownTree(merged)).toEqual(shownElsewhere(await mergeIndependently(archives.map(layerOfArchive))));
      }),
      { numRuns: 400 },
    );
  });

  it("sees the same tree after the layers' files were stored and read", () => {
    fc.assert(
      fc.property(fc.array(layerItems, { maxLength: 3 }), (layers) => {
        const files = layers.map((items) => filesOf(encodeTar(items)));

        expect(mergeLayers(decodeLayerFiles(encodeLayerFiles(files), "cache"))).toEqual(mergeLayers(files));
      }),
      { numRuns: 100 },
    );
  });

  it("makes a directory anew whose entry was replaced by a file between two of its own", () => {
    const root = merged([directory("d"), file("d/one"), file("d"), file("d/two"), file("d/three")]);

    expect(namesIn(root, "d")).toEqual(["three", "two"]);
    expect(nodeAt(root, "d")).toMatchObject({ kind: "directory", implied: true });
  });

  it.each([
    { what: "before", order: [0, 1, 2] },
    { what: "between", order: [1, 0, 2] },
    { what: "behind", order: [1, 2, 0] },
  ])("applies an opaque mark only to lower layers, standing $what the layer's own entries", ({ order }) => {
    const upper: LayerEntry[] = [
      { kind: "opaque", path: "d" },
      { kind: "file", path: "d/new", ...plain },
      { kind: "whiteout", path: "d/old" },
    ];

    const root = merged(
      [directory("d"), file("d/old"), file("d/older")],
      order.map((index) => upper[index] as LayerEntry),
    );

    expect(namesIn(root, "d")).toEqual(["new"]);
  });

  it("keeps an entry whose name the same layer takes from lower ones", () => {
    const root = merged([file("a")], [file("a"), { kind: "whiteout", path: "a" }]);

    expect(nodeAt(root, "a")?.kind).toBe("file");
  });

  it("clears the whole root", () => {
    const root = merged([directory("a"), file("b")], [{ kind: "opaque", path: "" }, file("c")]);

    expect(namesIn(root, "")).toEqual(["c"]);
  });

  it("minds no mark about what is not there", () => {
    const root = merged(
      [file("a")],
      [
        { kind: "opaque", path: "a" },
        { kind: "opaque", path: "x/y" },
        { kind: "whiteout", path: "x/y" },
      ],
    );

    expect(namesIn(root, "")).toEqual(["a"]);
  });

  it("marks directories that no layer has an entry for, until one has", () => {
    const below = [file("a/b/c")];

    expect(nodeAt(merged(below), "a/b")).toMatchObject({
      kind: "directory",
      mode: 0o755,
      uid: 0,
      gid: 0,
      implied: true,
    });
    expect(nodeAt(merged(below, [directory("a/b", 0o700)]), "a/b")).toMatchObject({ mode: 0o700, implied: undefined });
    expect(namesIn(merged(below, [directory("a/b", 0o700)]), "a/b")).toEqual(["c"]);
    expect(nodeAt(merged(below, [directory("a/b")]), "a")).toMatchObject({ implied: true });
  });

  it("marks directories of lower layers that a layer has only something below", () => {
    const below = [directory("a", 0o700), directory("a/b", 0o700)];
    const impliedAfter = (entry: LayerEntry) =>
      ["a", "a/b"].filter((path) => {
        const node = nodeAt(merged(below, [entry]), path);
        return node?.kind === "directory" && node.implied === true;
      });

    expect(impliedAfter(file("a/b/c"))).toEqual(["a", "a/b"]);
    expect(impliedAfter({ kind: "whiteout", path: "a/x" })).toEqual(["a"]);
    expect(impliedAfter({ kind: "opaque", path: "a/b" })).toEqual(["a", "a/b"]);
    expect(impliedAfter(directory("a/b"))).toEqual(["a"]);
    expect(nodeAt(merged(below, [directory("a"), directory("a/b"), file("a/b/c")]), "a")).toMatchObject({
      implied: undefined,
    });
  });

  it("replaces what is of another kind", () => {
    const link: LayerEntry = { kind: "symlink", path: "a", target: "b", uid: 0, gid: 0 };

    expect(nodeAt(merged([directory("a"), file("a/x")], [link]), "a")).toMatchObject({ kind: "symlink", target: "b" });
    expect(nodeAt(merged([link], [file("a/x")]), "a")).toMatchObject({ kind: "directory", implied: true });
    expect(namesIn(merged([file("a")], [directory("a")]), "a")).toEqual([]);
    expect(nodeAt(merged([file("a")], [{ ...file("a"), kind: "device" } as LayerEntry]), "a")?.kind).toBe("device");
  });

  it("takes the attributes of the highest layer that names a directory", () => {
    const root = merged(
      [directory("a", 0o1777), file("a/x")],
      [{ kind: "directory", path: "a", mode: 0o750, uid: 5, gid: 6, mtime: 7 }],
    );

    expect(nodeAt(root, "a")).toMatchObject({ mode: 0o750, uid: 5, gid: 6, mtime: 7 });
    expect(namesIn(root, "a")).toEqual(["x"]);
  });

  it("stays below the root", () => {
    const root = merged([file("../../etc/up")]);

    expect(nodeAt(root, "etc/up")?.kind).toBe("file");
  });

  it("knows the text of the layer that a file comes from", () => {
    const texts = (text: string) => new Map([["etc/passwd", text]]);
    const directories = groupByDirectory([file("etc/passwd")]);
    const lower: LayerFiles = { diffId, directories, texts: texts("lower") };

    expect(nodeAt(mergeLayers([lower]), "etc/passwd")).toMatchObject({ text: "lower" });
    expect(nodeAt(mergeLayers([lower, { diffId, directories, texts: texts("upper") }]), "etc/passwd")).toMatchObject({
      text: "upper",
    });
    expect(nodeAt(mergeLayers([lower, { diffId, directories, texts: new Map() }]), "etc/passwd")).toMatchObject({
      text: undefined,
    });
  });
});

describe("nodeAt", () => {
  const root = merged([file("a/b"), { kind: "symlink", path: "l", target: "a", uid: 0, gid: 0 }]);

  it.each([
    { path: "", kind: "directory" },
    { path: "/", kind: "directory" },
    { path: "/a/./b", kind: "file" },
    { path: "a//b/", kind: "file" },
    { path: "a/b/c", kind: undefined },
    { path: "x", kind: undefined },
    { path: "l/b", kind: undefined },
  ])("finds at $path: $kind", ({ path, kind }) => {
    expect(nodeAt(root, path)?.kind).toBe(kind);
  });
});

describe("partsOf", () => {
  it("leaves out what says nothing", () => {
    expect(partsOf("/a/./b//..")).toEqual(["a", "b", ".."]);
  });
});

function merged(...layers: readonly (readonly LayerEntry[])[]): DirectoryNode {
  return mergeLayers(layers.map((entries) => ({ diffId, directories: groupByDirectory(entries), texts: new Map() })));
}

function lineage(of: string): string[] {
  const parts = of.split("/");
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** The nodes whose directory is listed. */
function listedOnly(node: Node, { at, listed }: { at: string; listed: ReadonlySet<string> }): unknown {
  if (node.kind !== "directory") return node;
  const { children, isUnlisted: _, ...rest } = node;
  if (!listed.has(at)) return rest;
  const shown = [...children].map(([name, child]) => {
    return [name, listedOnly(child, { at: at === "" ? name : `${at}/${name}`, listed })] as const;
  });
  return { ...rest, children: new Map(shown) };
}

function file(path: string): LayerEntry {
  return { kind: "file", path, ...plain };
}

function directory(path: string, mode = 0o755): LayerEntry {
  return { kind: "directory", path, ...plain, mode };
}

function namesIn(root: DirectoryNode, path: string): readonly string[] {
  const node = nodeAt(root, path);
  return node?.kind === "directory" ? [...node.children.keys()].sort() : ["no directory"];
}

function filesOf(archive: Buffer): LayerFiles {
  const collector = collectLayerFiles();
  collector.write(archive);
  return { diffId, ...collector.end() };
}

function layerOfArchive(archive: Buffer): Parameters<typeof mergeIndependently>[0][number] {
  return {
    claims: {},
    async *open() {
      yield archive;
    },
  };
}

const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));

type Draft = {
  readonly path: string;
  readonly kind: TarItem["type"] | "whiteout" | "opaque";
  readonly link: string;
  readonly id: number;
};

const draft: fc.Arbitrary<Draft> = fc.record({
  path,
  kind: fc.constantFrom<Draft["kind"]>(
    "file",
    "file",
    "directory",
    "directory",
    "symlink",
    "fifo",
    "link",
    "whiteout",
    "opaque",
  ),
  link: fc.constantFrom("a", "../b", "/c"),
  id: fc.constantFrom(0, 1000),
});

/** A layer of a few names, so that entries meet. */
const layerItems: fc.Arbitrary<TarItem[]> = fc.array(draft, { maxLength: 8 }).map((drafts) => drafts.flatMap(itemOf));

function itemOf({ path: at, kind, link, id }: Draft, index: number): readonly TarItem[] {
  const slash = at.lastIndexOf("/") + 1;
  switch (kind) {
    case "whiteout":
      return [{ path: `${at.slice(0, slash)}.wh.${at.slice(slash)}`, type: "file" }];
    case "opaque":
      return [{ path: `${at}/.wh..wh..opq`, type: "file" }];
    case "directory":
      return [{ path: `${at}/`, type: "directory", mode: 0o700 + index, uid: id }];
    case "symlink":
      return [{ path: at, type: "symlink", linkPath: link, uid: id }];
    case "link": {
      // What it is a link to stands right before it, beside all other names.
      const target: TarItem =
        id === 0
          ? { path: `first-${index}`, type: "file" }
          : { path: `first-${index}`, type: "symlink", linkPath: link };
      return [target, { path: at, type: "link", linkPath: target.path }];
    }
    default:
      return [{ path: at, type: kind, uid: id }];
  }
}

function shownTree(root: DirectoryNode): ReadonlyMap<string, unknown> {
  const shown = new Map<string, unknown>();
  const visit = (node: Node, at: string): void => {
    if (node.kind !== "directory") {
      shown.set(at, node.kind === "symlink" ? { type: "symlink", target: node.target } : { type: node.kind });
      return;
    }
    const { mode, uid, gid } = node;
    if (at !== "") shown.set(at, { type: "directory", mode, uid, gid });
    for (const [name, child] of node.children) visit(child, at === "" ? name : `${at}/${name}`);
  };
  visit(root, "");
  return new Map([...shown].sort());
}

function shownElsewhere(tree: ImageTree): ReadonlyMap<string, unknown> {
  const shown = [...tree]
    .filter(([at]) => at !== "")
    .map(([at, { type, mode, uid, gid, target }]): [string, unknown] => {
      if (type === "directory") return [at, { type, mode, uid, gid }];
      if (type === "symlink") return [at, { type, target }];
      return [at, { type: type === "file" ? "file" : "device" }];
    });
  return new Map(shown.sort());
}
