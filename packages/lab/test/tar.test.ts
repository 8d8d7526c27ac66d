// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unpackTar } from "modern-tar";
import { describe, expect, it } from "vitest";
import { tinyLayers } from "../src/base/tiny-layers.ts";
import { encodeTar, readTar, run, type TarEntry, type TarItem } from "../src/index.ts";

const awkward: readonly TarItem[] = [
  { path: "directory/", type: "directory", mode: 0o1777 },
  { path: "directory/file", type: "file", content: "text", mode: 0o4711, uid: 12, gid: 34 },
  { path: "empty", type: "file" },
  { path: "block", type: "file", content: Buffer.alloc(512, 1) },
  { path: "block-and-one", type: "file", content: Buffer.alloc(513, 2) },
  { path: "symlink", type: "symlink", linkPath: "../up" },
  { path: "long-link", type: "symlink", linkPath: "l".repeat(101) },
  { path: `${"p".repeat(99)}/${"q".repeat(160)}`, type: "file", content: "long" },
  { path: "hard", type: "link", linkPath: "empty" },
  { path: "ünïcode", type: "file", content: "names" },
  { path: "owned", type: "file", uid: 3_000_000_000, gid: 2_097_152 },
  { path: "null", type: "character", device: { major: 1, minor: 3 } },
  { path: "disk", type: "block", device: { major: 259, minor: 70_000 } },
  { path: "pipe", type: "fifo" },
  {
    path: "able",
    type: "file",
    xattrs: { "security.capability": Buffer.from([0, 255, 10, 61, 0]), "user.x": Buffer.from("y") },
  },
];

async function* once(bytes: Uint8Array, size: number = bytes.length): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

interface ReadEntry extends Omit<TarEntry, "content" | "offset"> {
  readonly text: string;
}

async function readAll(bytes: Uint8Array, size?: number): Promise<readonly ReadEntry[]> {
  const entries: ReadEntry[] = [];
  for await (const { content, offset: _, ...entry } of readTar(once(bytes, size))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content()) chunks.push(chunk);
    entries.push({ ...entry, text: Buffer.concat(chunks).toString("latin1") });
  }
  return entries;
}

function expected(item: TarItem): ReadEntry {
  const defaultMode = item.type === "directory" ? 0o755 : item.type === "symlink" ? 0o777 : 0o644;
  const text = Buffer.from(item.content ?? "").toString("latin1");
  return {
    path: item.path,
    type: item.type,
    mode: item.mode ?? defaultMode,
    uid: item.uid ?? 0,
    gid: item.gid ?? 0,
    size: text.length,
    mtime: item.mtime ?? 0,
    linkPath: item.linkPath ?? "",
    device: item.device ?? { major: 0, minor: 0 },
    xattrs: new Map(Object.entries(item.xattrs ?? {}).map(([name, value]) => [name, Buffer.from(value)])),
    text,
  };
}

describe("the tar writer and the reader", () => {
  it.each([1, 511, 4096, 1 << 20])("agree on awkward entries that come in pieces of %i bytes", async (size) => {
    const bytes = encodeTar(awkward);

    expect(await readAll(bytes, size)).toEqual(awkward.map(expected));
  });

  it("agree with modern-tar on what it knows", async () => {
    const items = [...awkward, ...tinyLayers(Buffer.from("program")).flat()];

    const theirs = await unpackTar(encodeTar(items), { strict: true });

    const simple = theirs.map(({ header }) => [header.name.replace(/\/$/, ""), header.mode, header.uid, header.size]);
    expect(simple).toEqual(
      items.map(expected).map(({ path, mode, uid, size }) => [path.replace(/\/$/, ""), mode, uid, size]),
    );
  });

  it("read what they passed over as what it is", async () => {
    const paths: string[] = [];

    for await (const entry of readTar(once(encodeTar(awkward), 100))) paths.push(entry.path);

    expect(paths).toEqual(awkward.map(({ path }) => path));
  });
});

describe("GNU tar", () => {
  it.each([
    ["gnu", 110],
    ["pax", 110],
    ["ustar", 95], // It has no room for longer targets of links.
    ["v7", 45],
  ])("writes in format %s what we read", async (format, length) => {
    const folder = await mkdtemp(join(tmpdir(), "layerwise-lab-tar-"));
    const long = `${"d".repeat(length / 2)}/${"f".repeat(length / 2)}`;
    await run(
      [
        "sh",
        "-c",
        'mkdir "$(dirname "$1")"; echo long > "$1"; ln "$1" hard; ln -s hard soft; chmod 6750 hard',
        "sh",
        long,
      ],
      { cwd: folder },
    );

    await run(
      [
        "tar",
        `--format=${format}`,
        "--owner=:1234",
        "--sort=name",
        "-cf",
        "out.tar",
        "--no-recursion",
        dirname(long),
        long,
        "hard",
        "soft",
      ],
      {
        cwd: folder,
      },
    );

    const entries = await readAll(await readFile(join(folder, "out.tar")));
    expect(entries.map(({ path, type, linkPath, text }) => [path, type, linkPath, text])).toEqual([
      [`${dirname(long)}/`, "directory", "", ""],
      [long, "file", "", "long\n"],
      ["hard", "link", long, ""],
      ["soft", "symlink", "hard", ""],
    ]);
    expect(entries.slice(1).map(({ mode, uid }) => [mode, uid])).toEqual([
      [0o6750, 1234],
      [0o6750, 1234],
      [0o777, 1234],
    ]);
    await rm(folder, { recursive: true });
  });

  it("reads what we write, devices and attributes too", async () => {
    const folder = await mkdtemp(join(tmpdir(), "layerwise-lab-tar-"));
    await writeFile(join(folder, "in.tar"), encodeTar(awkward.filter(({ path }) => path !== "long-link")));

    await run(["tar", "--xattrs", "--xattrs-include=*", "-xpf", "in.tar"], { cwd: folder });

    const { stdout } = await run(
      ["stat", "--format=%n %F %a %u %t:%T", "directory/file", "null", "disk", "owned", "pipe"],
      { cwd: folder },
    );
    expect(stdout.trim().split("\n")).toEqual([
      "directory/file regular file 4711 12 0:0",
      "null character special file 644 0 1:3",
      "disk block special file 644 0 103:11170",
      "owned regular empty file 644 3000000000 0:0",
      "pipe fifo 644 0 0:0",
    ]);
    await rm(folder, { recursive: true });
  });
});

describe("the tar reader", () => {
  const good = encodeTar([{ path: "file", type: "file", content: "text" }]);
  const damaged = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(good);
    change(bytes);
    return bytes;
  };

  it.each([
    ["cut off in a header", good.subarray(0, 100), "it is cut off"],
    ["cut off in a file", good.subarray(0, 514), "it is cut off"],
    ["without its end", good.subarray(0, 1024), "it is cut off"],
    ["with one end block", good.subarray(0, 1536), "it is cut off"],
    ["with something behind its end", Buffer.concat([good, Buffer.alloc(512, 1)]), "something follows its end"],
    ["with something in its second end block", damaged((bytes) => bytes.write("x", 1536)), "something follows its end"],
    ["with a wrong checksum", damaged((bytes) => bytes.write("y", 0)), "a header's checksum is wrong"],
    [
      "with a size that is no number",
      damaged((bytes) => resum(bytes, () => bytes.write("zz", 124))),
      '"zz000000004" is no number',
    ],
    [
      "with entries of another kind",
      damaged((bytes) => resum(bytes, () => bytes.write("S", 156))),
      'entries of type "S"',
    ],
    ["with a damaged extension", encodePax("99 path=x\n"), "an extended header is damaged"],
    ["with a sparse file", encodePax("22 GNU.sparse.major=1\n"), "is a sparse file"],
  ])("refuses a tar %s", async (_, bytes, why) => {
    await expect(readAll(bytes)).rejects.toThrow(why);
  });

  it("takes zeros behind the end, as tar writes them to fill a record", async () => {
    const bytes = Buffer.concat([good, Buffer.alloc(8192)]);

    expect((await readAll(bytes)).map(({ path }) => path)).toEqual(["file"]);
  });

  it("reads sizes in base 256 and passes over global headers", async () => {
    const large = damaged((bytes) => resum(bytes, () => bytes.set([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4], 124)));
    const global = encodePax("13 path=else\n", "g");

    expect((await readAll(large)).map(({ size, text }) => [size, text])).toEqual([[4, "text"]]);
    expect((await readAll(global)).map(({ path }) => path)).toEqual(["after"]);
  });
});

/** A tar with an extended header before a file. */
function encodePax(records: string, flag: string = "x"): Buffer {
  const bytes = encodeTar([
    { path: "pax", type: "file", content: records },
    { path: "after", type: "file" },
  ]);
  resum(bytes, () => bytes.write(flag, 156));
  return bytes;
}

/** Changes the first header and mends its checksum. */
function resum(bytes: Buffer, change: () => void): void {
  change();
  bytes.write("        ", 148);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
}
