// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { encodeTar, type TarItem } from "../../../lab/src/index.ts";
import { dir, file, link } from "../../test/layer-entries.ts";
import { openMemoryContext } from "../../test/memory-context.ts";
import type { ContextEntry } from "../ports.ts";
import { digestOf } from "../spec/digest.ts";
import { mergeLayers } from "../spec/file-view.ts";
import { groupByDirectory, type LayerEntry } from "../spec/layer-files.ts";
import { type LayerFile, openFileTree } from "./file-tree.ts";
import { gatherArchives } from "./gather-archives.ts";
import { Refusal } from "./refusal.ts";
import { unpackArchive } from "./unpack-archive.ts";

const below: readonly LayerEntry[] = [
  dir("tmp", 0o1777),
  dir("usr", 0o755),
  dir("usr/bin", 0o711, 5, 6),
  file("usr/bin/tool"),
  link("bin", "usr/bin"),
  link("sbin", "/usr/bin"),
  link("gone", "nowhere"),
  link("loop", "loop"),
  dir("group", 0o2775, 5, 6),
  dir("full", 0o700, 7, 8),
  file("full/in"),
  dir("x", 0o755),
  dir("x/d", 0o700, 9, 9),
  link("x/absolute", "/d"),
  link("x/up", "../tmp"),
  file("x/f"),
];

/** What an archive does to the tree: one line an entry, or why it is refused. */
async function unpacked(items: readonly TarItem[], root = ""): Promise<readonly string[]> {
  const context = openMemoryContext({ "t.tar": encodeTar(items) });
  const entry = (await context.list(() => false)).get("t.tar") as ContextEntry;
  const digest = digestOf(encodeTar(items));
  const source = { word: "t.tar", name: "t.tar", entry, disputed: [], below: [], leftOut: [] };
  const content = {
    sources: [source],
    digests: new Map([["t.tar", digest]]),
    archives: new Map([["t.tar", "none" as const]]),
    capabilities: new Map(),
  };
  const listing = (await gatherArchives([content], { context })).get("t.tar");
  if (listing?.kind !== "archive") return [`${listing?.kind}`];
  const tree = openFileTree(
    mergeLayers([{ diffId: digestOf("below"), directories: groupByDirectory(below), texts: new Map() }]),
  );
  tree.startLayer();
  try {
    const archive = { file: entry, digest, compression: "none" as const };
    unpackArchive(tree, { archive, entries: listing.entries, root, newDirectoryTime: 42 });
    return tree.endLayer().map(shown);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [`${error.reason.name}: ${error.reason.detail}`];
  }
}

function shown(entry: LayerFile): string {
  const { kind, path, mode, uid, gid } = entry;
  const more = "target" in entry ? ` -> ${entry.target}` : kind === "member" ? ` = ${entry.index}` : "";
  return `${kind} ${path} ${mode.toString(8)} ${uid}:${gid}${more}`;
}

const f = (path: string, rest: Partial<TarItem> = {}): TarItem => ({ path, type: "file", content: path, ...rest });
const d = (path: string, rest: Partial<TarItem> = {}): TarItem => ({ path: `${path}/`, type: "directory", ...rest });
const s = (path: string, linkPath: string): TarItem => ({ path, type: "symlink", linkPath });
const h = (path: string, linkPath: string, rest: Partial<TarItem> = {}): TarItem => ({
  path,
  type: "link",
  linkPath,
  mode: 0o644,
  ...rest,
});

const usr = ["directory usr 755 0:0", "directory usr/bin 711 5:6"];

describe("unpackArchive", () => {
  it.each([
    { what: "owners and modes", items: [f("a", { mode: 0o4750, uid: 1, gid: 2 })], gives: ["member a 4750 1:2 = 0"] },
    {
      what: "an entry for a directory that is there",
      items: [d("tmp", { mode: 0o700, uid: 3 })],
      gives: ["directory tmp 700 3:0"],
    },
    { what: "the root's own entry", items: [d(".", { mode: 0o700 }), f("./a")], gives: ["member a 644 0:0 = 1"] },
    { what: "an absolute name", items: [f("/a")], gives: ["member a 644 0:0 = 0"] },
    {
      what: "directories without an entry",
      items: [f("n/m/a", { uid: 4 })],
      gives: ["directory n 755 0:0", "directory n/m 755 0:0", "member n/m/a 644 4:0 = 0"],
    },
    {
      what: "an entry for a directory after its content",
      items: [f("n/a"), d("n", { mode: 0o700, uid: 1 })],
      gives: ["directory n 700 1:0", "member n/a 644 0:0 = 0"],
    },
    {
      what: "a link of the image",
      items: [f("bin/a"), f("sbin/b")],
      gives: [...usr, "member usr/bin/a 644 0:0 = 0", "member usr/bin/b 644 0:0 = 1"],
    },
    {
      what: "a link of the archive",
      items: [s("l", "usr/../usr/bin"), f("l/a")],
      gives: ["symlink l 777 0:0 -> usr/../usr/bin", ...usr, "member usr/bin/a 644 0:0 = 1"],
    },
    { what: "a file over a directory", items: [f("full")], gives: ["member full 644 0:0 = 0"] },
    { what: "a link over a directory", items: [s("full", "tmp")], gives: ["symlink full 777 0:0 -> tmp"] },
    {
      what: "a directory over a file",
      items: [d("full/in"), f("full/in/a")],
      gives: ["directory full 700 7:8", "directory full/in 755 0:0", "member full/in/a 644 0:0 = 1"],
    },
    { what: "a file over a link", items: [f("bin")], gives: ["member bin 644 0:0 = 0"] },
    { what: "the last of two", items: [f("a"), f("a", { uid: 1 })], gives: ["member a 644 1:0 = 1"] },
    {
      what: "a file that becomes a directory",
      items: [f("a"), d("a"), f("a/b")],
      gives: ["directory a 755 0:0", "member a/b 644 0:0 = 2"],
    },
    {
      what: "names of one file, the content under the first of them, contents in their order",
      items: [f("z"), f("m"), h("b", "m"), h("q", "b")],
      gives: ["member z 644 0:0 = 0", "member b 644 0:0 = 1", "hardlink m 644 0:0 -> b", "hardlink q 644 0:0 -> b"],
    },
  ])("unpacks $what", async ({ items, gives }) => {
    expect(await unpacked(items)).toEqual(gives);
  });

  it("takes the destination for the root of links", async () => {
    expect(await unpacked([f("absolute/a")], "x")).toEqual([
      "directory x 755 0:0",
      "directory x/d 700 9:9",
      "member x/d/a 644 0:0 = 0",
    ]);
  });

  it.each([
    { what: "a name that leads up", items: [f("../a")], why: '".." in a name' },
    { what: "a name that leads up to the root", items: [d("..")], why: '".." in a name' },
    { what: "a name that leads up inside", items: [f("usr/../a")], why: '".." in a name' },
    { what: "an entry called /", items: [d("/")], why: "an entry for the root" },
    { what: "a link that leads above the destination", items: [f("up/a")], root: "x", why: '".." in a name' },
    { what: "a link that leads nowhere", items: [f("gone/a")], why: "a link leads nowhere" },
    { what: "a link to itself", items: [f("loop/a")], why: "too many links" },
    { what: "something below a file", items: [f("usr/bin/tool/a")], why: "/usr/bin/tool is no directory" },
    { what: "a directory over a link", items: [d("bin")], why: "bin is a directory, and a link before" },
    { what: "a new directory below one with the set-group bit", items: [f("group/n/a")], why: "the set-group bit" },
    { what: "a hard link to a lower file", items: [h("a", "usr/bin/tool")], why: "a links to no file before it" },
    { what: "a hard link to a later file", items: [h("a", "b"), f("b")], why: "a links to no file before it" },
    { what: "a hard link to a link", items: [s("l", "b"), h("a", "l")], why: "a links to no file before it" },
    { what: "a hard link to itself", items: [f("a"), h("a", "a")], why: "a links to no file before it" },
    { what: "a hard link to nothing", items: [h("a", "no/where")], why: "a links to what is not there" },
    { what: "a hard link of another owner", items: [f("b"), h("a", "b", { uid: 1 })], why: "a is not like" },
    { what: "a hard link of another mode", items: [f("b"), h("a", "b", { mode: 0o600 })], why: "a is not like" },
    { what: "a hard link of another time", items: [f("b"), h("a", "b", { mtime: 9 })], why: "a is not like" },
    {
      what: "a hard link to a file with the set-user bit",
      items: [f("b", { mode: 0o4755 }), h("a", "b", { mode: 0o4755 })],
      why: "special mode bits",
    },
    { what: "a pipe", items: [{ path: "p", type: "fifo" as const }], why: "a device or a pipe" },
    { what: "a device", items: [{ path: "p", type: "block" as const }], why: "a device or a pipe" },
    {
      what: "an extended attribute",
      items: [f("a", { xattrs: { "user.a": Buffer.from("1") } })],
      why: "a has extended attributes",
    },
    { what: "a time before 1970", items: [f("a", { mtime: -1 })], why: "a has the time -1" },
    { what: "an owner beyond 31 bits", items: [f("a", { uid: 2 ** 31 })], why: "a has the owner 2147483648" },
    { what: "a link without a target", items: [s("l", "")], why: "l links to nothing" },
    { what: "a name that no file can have", items: [f("n".repeat(256))], why: "a name is too long" },
  ])("refuses $what", async ({ items, why, root }) => {
    const [line] = await unpacked(items, root);

    expect(line).toMatch(/^add-archive: t\.tar: /);
    expect(line).toContain(why);
  });

  it.each([
    { what: "a deletion", items: [f("usr/.wh.bin")], name: "name-unsupported" },
    {
      what: "a file with two names that is replaced",
      items: [f("a"), h("b", "a"), f("a")],
      name: "destination-conflict",
    },
    { what: "a directory of the archive that becomes a file", items: [f("n/a"), f("n")], name: "destination-conflict" },
    { what: "a directory that becomes another", items: [f("full"), d("full")], name: "destination-conflict" },
  ])("refuses $what", async ({ items, name }) => {
    expect((await unpacked(items))[0]).toMatch(new RegExp(`^${name}: `));
  });
});
