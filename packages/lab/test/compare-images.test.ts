// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  differences,
  encodeTar,
  type ImageContents,
  type ImageLayer,
  layerOf,
  mergeLayers,
  openRegistryImage,
  pushImage,
  type Registry,
  readContents,
  startRegistry,
  type TarItem,
} from "../src/index.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const directory = (path: string, rest: Partial<TarItem> = {}): TarItem => ({
  path: `${path}/`,
  type: "directory",
  ...rest,
});
const file = (path: string, content: string, rest: Partial<TarItem> = {}): TarItem => ({
  path,
  type: "file",
  content,
  ...rest,
});
const symlink = (path: string, linkPath: string): TarItem => ({ path, type: "symlink", linkPath });

async function contentsOf(
  layers: readonly (readonly TarItem[])[],
  rest: Partial<ImageContents> = {},
): Promise<ImageContents> {
  const opened = layers.map((items): ImageLayer => ({ claims: {}, open: () => once(encodeTar(items)) }));
  return { tree: await mergeLayers(opened), config: {}, history: [], ...rest };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const original: readonly TarItem[] = [
  directory("a", { mode: 0o1777 }),
  file("a/file", "content"),
  symlink("a/link", "file"),
  { path: "a/device", type: "character", device: { major: 1, minor: 3 } },
  file("a/able", "", { xattrs: { "security.capability": Buffer.from([1, 255]) } }),
];
const capable = { "security.capability": Buffer.from([1, 254]) };

describe("the comparison finds", () => {
  it.each<readonly [string, TarItem | undefined, string, readonly string[]]>([
    ["a mode", file("a/file", "content", { mode: 0o600 }), "a/file", ["/a/file: mode 0644, and not 0600"]],
    ["a set bit", file("a/file", "content", { mode: 0o4644 }), "a/file", ["/a/file: mode 0644, and not 4644"]],
    ["a sticky bit", directory("a"), "a/", ["/a: mode 1777, and not 0755"]],
    ["an owner", file("a/file", "content", { uid: 7 }), "a/file", ["/a/file: owner 0:0, and not 7:0"]],
    ["a group", file("a/file", "content", { gid: 7 }), "a/file", ["/a/file: owner 0:0, and not 0:7"]],
    ["a link's target", symlink("a/link", "./file"), "a/link", ["/a/link: target file, and not ./file"]],
    ["a link's owner", { ...symlink("a/link", "file"), uid: 7 }, "a/link", ["/a/link: owner 0:0, and not 7:0"]],
    [
      "a device's number",
      { path: "a/device", type: "character", device: { major: 1, minor: 5 } },
      "a/device",
      ["/a/device: device 1:3, and not 1:5"],
    ],
    [
      "a device's kind",
      { path: "a/device", type: "block", device: { major: 1, minor: 3 } },
      "a/device",
      ["/a/device: a character, and not a block"],
    ],
    ["a type", directory("a/file"), "a/file", ["/a/file: a file, and not a directory"]],
    ["a file for a link", file("a/link", "file"), "a/link", ["/a/link: a symlink, and not a file"]],
    [
      "an attribute's value",
      file("a/able", "", { xattrs: capable }),
      "a/able",
      ["/a/able: extended attributes security.capability=01ff, and not security.capability=01fe"],
    ],
    [
      "an attribute that is gone",
      file("a/able", ""),
      "a/able",
      ["/a/able: extended attributes security.capability=01ff, and not none"],
    ],
    ["a missing file", undefined, "a/file", ["/a/file: only in the first image"]],
  ])("%s", async (_, changed, path, expected) => {
    const one = await contentsOf([original]);
    const items = original.flatMap((item) => (item.path !== path ? [item] : changed === undefined ? [] : [changed]));
    const other = await contentsOf([items]);

    expect(differences(one, other)).toEqual(expected);
  });

  it("another content of the same size", async () => {
    const one = await contentsOf([original]);
    const other = await contentsOf([original, [file("a/file", "CONTENT")]]);

    expect(differences(one, other)).toEqual([
      expect.stringMatching(/^\/a\/file: content sha256:\w+, and not sha256:\w+$/),
    ]);
  });

  it("a file that should not be there", async () => {
    const one = await contentsOf([original]);
    const other = await contentsOf([[...original, file("b", "")]]);

    expect(differences(one, other)).toEqual(["/b: only in the second image"]);
  });

  it("the root's own attributes", async () => {
    const one = await contentsOf([original]);
    const other = await contentsOf([[directory(".", { mode: 0o700 }), ...original]]);

    expect(differences(one, other)).toEqual(["/: mode 0755, and not 0700"]);
  });

  it("each field of the runtime config, and the platform", async () => {
    const one = await contentsOf([], { config: { os: "linux", Env: ["A=1", "B=2"], User: "app" } });
    const other = await contentsOf([], {
      config: { os: "linux", Env: ["B=2", "A=1"], Cmd: ["x"], architecture: "arm64" },
    });

    expect(differences(one, other)).toEqual([
      'config Cmd: nothing, and not ["x"]',
      'config Env: ["A=1","B=2"], and not ["B=2","A=1"]',
      'config User: "app", and not nothing',
      'config architecture: nothing, and not "arm64"',
    ]);
  });

  it("another shape of the history, if asked", async () => {
    const one = await contentsOf([], { history: [true, false] });
    const other = await contentsOf([], { history: [true] });

    expect(differences(one, other)).toEqual([]);
    expect(differences(one, other, { history: true })).toEqual(["history: layer none, and not layer"]);
  });
});

describe("the comparison accepts", () => {
  it.each<readonly [string, readonly (readonly TarItem[])[]]>([
    ["one layer for each file", original.map((item) => [item])],
    ["other times", [original.map((item) => ({ ...item, mtime: 1_700_000_000 }))]],
    ["files in another order", [[...original].reverse()]],
    ["a file that comes and goes", [original, [file("a/passing", "")], [file("a/.wh.passing", "")]]],
    ["a directory that comes and goes", [original, [file("d/e/f", "")], [file(".wh.d", "")]]],
    [
      "a directory made again",
      [
        [directory("a"), file("a/old", "")],
        [file("a/.wh..wh..opq", ""), ...original],
      ],
    ],
    [
      "an opaque mark behind the entries it does not concern",
      [
        [directory("a"), file("a/old", "")],
        [...original, file("a/.wh..wh..opq", "")],
      ],
    ],
    ["a file in the place of a directory", [[directory("a/file"), file("a/file/inner", "")], original]],
    ["a directory in the place of a file", [[file("a", "")], original]],
    [
      "a directory in the place of a link to one",
      [
        [directory("b"), symlink("a", "b")],
        [...original, file(".wh.b", "")],
      ],
    ],
    ["names written in other ways", [original.map((item) => ({ ...item, path: `.//${item.path}` }))]],
    ["a whiteout of nothing", [original, [file("a/.wh.nothing", "")]]],
    ["files of a store that is gone", [original, [directory(".wh..wh.plnk"), file(".wh..wh.aufs", "")]]],
  ])("equal trees made in other ways: %s", async (_, layers) => {
    const one = await contentsOf([original]);
    const other = await contentsOf(layers);

    expect(differences(one, other)).toEqual([]);
  });

  it("hard links as files of equal content, also over layers", async () => {
    const link: TarItem = { path: "a/second", type: "link", linkPath: "a/file" };
    const one = await contentsOf([[...original, file("a/second", "content")]]);

    const within = await contentsOf([[...original, link]]);
    const over = await contentsOf([original, [link]]);
    const parted = await contentsOf([[...original, link], [file("a/file", "else")], [file("a/file", "content")]]);

    expect([within, over, parted].map((other) => differences(one, other))).toEqual([[], [], []]);
  });

  it("differences below paths that are excepted", async () => {
    const one = await contentsOf([original]);
    const other = await contentsOf([[...original, directory("dev"), file("dev/console", ""), file("devices", "")]]);

    expect(differences(one, other, { except: ["dev"] })).toEqual(["/devices: only in the second image"]);
  });
});

describe("merging refuses", () => {
  it.each<readonly [string, TarItem, string]>([
    ["to leave the image", file("a/../../x", ""), "leads out of the image"],
    ["a hard link to nothing", { path: "x", type: "link", linkPath: "nothing" }, "which is no file"],
    ["a hard link to a directory", { path: "x", type: "link", linkPath: "a" }, "which is no file"],
    [
      "a hard link with another mode",
      { path: "x", type: "link", linkPath: "a/file", mode: 0o600 },
      "another owner or mode",
    ],
  ])("%s", async (_, item, why) => {
    await expect(contentsOf([original, [item]])).rejects.toThrow(why);
  });
});

describe("images in a registry", () => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await startRegistry({ host: "127.0.0.1" });
  });
  afterAll(() => registry.stop());

  it("are equal if only their layers, media types and empty config fields differ", async () => {
    const one = await pushImage(
      { layers: [layerOf(original)], config: { Env: ["A=1"], Cmd: null, Labels: {} } },
      { registry, repository: "one", family: "docker" },
    );
    const other = await pushImage(
      { layers: original.map((item) => layerOf([item])), config: { Env: ["A=1"], Entrypoint: [], User: "" } },
      { registry, repository: "other", family: "oci" },
    );

    const contents = await Promise.all([one, other].map(async (name) => readContents(await openRegistryImage(name))));

    expect(differences(contents[0] as ImageContents, contents[1] as ImageContents)).toEqual([]);
  });
});
