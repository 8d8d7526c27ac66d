// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodeTar, type TarItem } from "../../../lab/src/index.ts";
import { configOf } from "../../test/engine-archive.ts";
import type { LocatedLayer } from "../plan/gather-files.ts";
import { digestOf } from "../spec/digest.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { type FileFacts, type ReadableImage, readImageContents } from "./image-contents.ts";

/** An image of layers with these entries; `reads` counts how often a layer's bytes are asked for. */
function image(layers: readonly (readonly TarItem[])[], reads: { count: number } = { count: 0 }): ReadableImage {
  const archives = layers.map((items) => encodeTar(items));
  return { name: "app:1", config: configOf(archives), layers: archives.map((archive) => located(archive, reads)) };
}

function located(archive: Buffer, reads: { count: number }): LocatedLayer {
  const zipped = gzipSync(archive);
  return {
    diffId: digestOf(archive),
    descriptor: { mediaType: mediaTypes.oci.layer.gzip, digest: digestOf(zipped), size: zipped.length },
    from: {
      async *fetchBlob() {
        reads.count += 1;
        yield zipped;
      },
    },
  };
}

async function filesOf(readable: ReadableImage): Promise<ReadonlyMap<string, FileFacts>> {
  return (await readImageContents(readable, { store: new Map() })).files;
}

const file = (path: string, content: string): TarItem => ({ path, type: "file", content });

describe("readImageContents", () => {
  it("merges layers, and says which instruction each path comes from", async () => {
    const readable = image([
      [{ path: "d/", type: "directory" }, file("d/gone", "1"), file("d/kept", "2"), file("d/new", "3")],
      [{ path: "d/", type: "directory", mode: 0o700 }, file("d/.wh.gone", ""), file("d/new", "4")],
    ]);
    const history = [{ created_by: "RUN one" }, { created_by: "ENV a", empty_layer: true }, { created_by: "COPY two" }];
    const timed = history.map((entry) => ({ ...entry, created: "2024-01-01T00:00:00Z" }));

    const files = await filesOf({ ...readable, config: { ...readable.config, history: timed } });

    expect([...files.keys()].sort()).toEqual(["d", "d/kept", "d/new"]);
    expect(files.get("d")).toMatchObject({ type: "directory", mode: "0700", madeBy: "COPY two" });
    expect(files.get("d/kept")).toMatchObject({ content: digestOf("2"), madeBy: "RUN one" });
    expect(files.get("d/new")).toMatchObject({ content: digestOf("4"), madeBy: "COPY two" });
  });

  it("knows types, owners, targets, devices and extended attributes", async () => {
    const files = await filesOf(
      image([
        [
          {
            path: "file",
            type: "file",
            content: "x",
            mode: 0o4755,
            uid: 3,
            gid: 4,
            xattrs: { "user.a": Buffer.from("b") },
          },
          { path: "link", type: "symlink", linkPath: "/file", uid: 5, gid: 6 },
          { path: "null", type: "character", device: { major: 1, minor: 3 } },
          { path: "pipe", type: "fifo" },
        ],
      ]),
    );

    expect(files.get("file")).toMatchObject({ type: "file", mode: "4755", owner: "3:4", xattrs: "user.a=62" });
    expect(files.get("link")).toMatchObject({ type: "symlink", mode: undefined, owner: "5:6", target: "/file" });
    expect(files.get("null")).toMatchObject({ type: "character-device", device: "1:3" });
    expect(files.get("pipe")).toMatchObject({ type: "fifo" });
  });

  it("gives a hard link the content of its file, and an empty file the content of nothing", async () => {
    const files = await filesOf(image([[file("a", "x"), { path: "b", type: "link", linkPath: "a" }, file("c", "")]]));

    expect(files.get("b")).toMatchObject({ type: "file", content: digestOf("x") });
    expect(files.get("c")).toMatchObject({ content: digestOf("") });
  });

  it("reads a layer once, however many images have it", async () => {
    const reads = { count: 0 };
    const [one, other] = [image([[file("a", "x")]], reads), image([[file("a", "x")], [file("b", "y")]], reads)];
    const store = new Map();

    await readImageContents(one, { store });
    await readImageContents(other, { store });

    expect(reads.count).toBe(2);
  });

  it("refuses a layer that is not what the config says", async () => {
    const readable = image([[file("a", "x")]]);
    const [layer] = readable.layers as [LocatedLayer];

    const read = filesOf({ ...readable, layers: [{ ...layer, diffId: digestOf("another") }] });

    await expect(read).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  it("says which layer it cannot read", async () => {
    const readable = image([[file("a", "x")]]);
    const [layer] = readable.layers as [LocatedLayer];
    const foreign = { ...layer, descriptor: { ...layer.descriptor, mediaType: "application/x-foreign" } };

    const read = filesOf({ ...readable, layers: [foreign] });

    await expect(read).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      message: expect.stringContaining("app:1: its media type is application/x-foreign"),
    });
  });
});
