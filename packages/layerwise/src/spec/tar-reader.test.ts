// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeTar, type TarItem } from "../../../lab/src/index.ts";
import { archiveOf, cut, entryPath, pieceSizes, readArchive, tarEntry } from "../../test/tar-archive.ts";
import { encodeTarHeader, tarEnd, tarPadding } from "./tar-header.ts";
import { startTarReader, TarError } from "./tar-reader.ts";

const plain = { path: "a", kind: "file", mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;

describe("startTarReader", () => {
  it("reads the same from pieces of any size", () => {
    fc.assert(
      fc.property(fc.array(tarEntry, { maxLength: 4 }), pieceSizes, (entries, sizes) => {
        const archive = archiveOf(entries.map((entry, index) => ({ entry, content: contentFor(entry.kind, index) })));

        expect(readArchive(archive, sizes)).toEqual(readArchive(archive));
      }),
      { numRuns: 100 },
    );
  });

  it("reads archives of another writer", () => {
    fc.assert(
      fc.property(fc.array(foreignItem, { maxLength: 5 }), pieceSizes, (items, sizes) => {
        const read = readArchive(encodeTar(items), sizes);

        expect(read.map(({ entry, content }) => ({ ...seen(entry), content: content.toString() }))).toEqual(
          items.map(expected),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("tells where content begins", () => {
    const archive = archiveOf([
      { entry: { ...plain, path: "p".repeat(200) }, content: Buffer.from("one") },
      { entry: { ...plain, path: "second" }, content: Buffer.from("two") },
    ]);

    const found = readArchive(archive).map(({ entry: { offset, size } }) =>
      archive.toString("utf8", offset, offset + size),
    );

    expect(found).toEqual(["one", "two"]);
  });

  it("skips the content of entries that nobody wants", () => {
    const archive = archiveOf(
      ["a", "b", "c"].map((path) => ({ entry: { ...plain, path }, content: Buffer.alloc(700, path) })),
    );
    const seen: string[] = [];
    const reader = startTarReader(({ path }) =>
      path === "b" ? { data: (chunk) => void seen.push(Buffer.from(chunk).toString()) } : undefined,
    );

    for (const piece of cut(archive, [333])) reader.write(piece);
    reader.end();

    expect(seen.join("")).toBe("b".repeat(700));
  });

  it("says that content ended also if there is none", () => {
    let ends = 0;
    const reader = startTarReader(() => ({ data: () => undefined, end: () => void ends++ }));

    reader.write(archiveOf([{ entry: plain }, { entry: { ...plain, kind: "directory" } }]));

    expect(ends).toBe(2);
  });

  it.each([
    ["./a//b/", "a/b"],
    ["/etc/passwd", "etc/passwd"],
    ["./", ""],
    ["a/../b", "a/../b"],
    ["../../up", "../../up"],
  ])("cleans the name %s to %s", (name, path) => {
    expect(readArchive(encodeTar([{ path: name, type: "directory" }]))[0]?.entry.path).toBe(path);
  });

  it("cleans the name that a hard link refers to, and leaves that of a symlink", () => {
    const read = readArchive(
      encodeTar([
        { path: "one", type: "link", linkPath: "./a//b" },
        { path: "two", type: "symlink", linkPath: "./a//b/" },
      ]),
    );

    expect(read.map(({ entry }) => entry.target)).toEqual(["a/b", "./a//b/"]);
  });

  it("takes a name with a slash for a directory only where there is no other mark", () => {
    const old = block({ path: "old/", flag: "\0" });
    const posix = block({ path: "posix/", flag: "0" });

    expect(readArchive(Buffer.concat([old, posix, tarEnd])).map(({ entry }) => entry.kind)).toEqual([
      "directory",
      "file",
    ]);
  });

  it("reads old GNU long names", () => {
    const [path, target] = ["p".repeat(300), "t".repeat(250)];
    const archive = Buffer.concat([
      extension("K", Buffer.from(`${target}\0`)),
      extension("L", Buffer.from(`${path}\0`)),
      block({ path: path.slice(0, 100), flag: "2", gnu: true }),
      block({ path: "next", flag: "5", gnu: true }),
      tarEnd,
    ]);

    expect(readArchive(archive).map(({ entry }) => [entry.path, entry.target])).toEqual([
      [path, target],
      ["next", undefined],
    ]);
  });

  it("does not take GNU's times for a prefix of the name", () => {
    const archive = Buffer.concat([block({ path: "name", flag: "0", gnu: true, prefix: "14371" }), tarEnd]);

    expect(readArchive(archive)[0]?.entry.path).toBe("name");
  });

  it("joins the prefix with the name", () => {
    const archive = Buffer.concat([block({ path: "name", flag: "0", prefix: "some/where" }), tarEnd]);

    expect(readArchive(archive)[0]?.entry.path).toBe("some/where/name");
  });

  it.each([
    { what: "octal with blanks", field: Buffer.from("   17 \0 "), uid: 15 },
    { what: "nothing", field: Buffer.alloc(8), uid: 0 },
    { what: "eight digits without an end", field: Buffer.from("77777777"), uid: 0o77777777 },
    { what: "base 256", field: Buffer.of(0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe), uid: 4_294_967_294 },
    { what: "base 256, negative", field: Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe), uid: -2 },
  ])("reads a number that is $what", ({ field, uid }) => {
    const archive = Buffer.concat([block({ path: "a", flag: "0", owner: field }), tarEnd]);

    expect(readArchive(archive)[0]?.entry.uid).toBe(uid);
  });

  it("prefers what a pax header says, for one entry only", () => {
    const records = pax({ path: "long", uid: "7", gid: "8", mtime: "-1.25", linkpath: "there" });
    const archive = Buffer.concat([
      extension("x", records),
      block({ path: "a", flag: "2" }),
      block({ path: "b", flag: "0" }),
      tarEnd,
    ]);

    const [first, second] = readArchive(archive).map(({ entry }) => entry);

    expect(first).toMatchObject({ path: "long", uid: 7, gid: 8, mtime: -2, target: "there" });
    expect(second).toMatchObject({ path: "b", uid: 0, gid: 0, mtime: 0, target: undefined });
  });

  it("keeps the header's own value where the pax one is empty, as engines do", () => {
    const records = pax({ path: "", size: "", uid: "", mtime: "", "SCHILY.xattr.user.a": "" });
    const archive = Buffer.concat([extension("x", records), block({ path: "kept", flag: "0" }), tarEnd]);

    expect(readArchive(archive)[0]?.entry).toMatchObject({
      path: "kept",
      size: 0,
      uid: 0,
      mtime: 0,
      xattrs: undefined,
    });
  });

  it("drops global pax headers, as engines do", () => {
    const archive = Buffer.concat([
      extension("g", pax({ comment: "0123456789abcdef", path: "everything", uid: "5" })),
      block({ path: "a", flag: "0" }),
      tarEnd,
    ]);

    expect(readArchive(archive)).toMatchObject([{ entry: { path: "a", uid: 0 } }]);
  });

  it("reads values with any byte", () => {
    const value = Buffer.from([0, 10, 61, 255, 32, 10, 0]);
    const archive = Buffer.concat([
      extension("x", pax({ "SCHILY.xattr.security.capability": value })),
      block({ path: "a", flag: "0" }),
      tarEnd,
    ]);

    expect(readArchive(archive)[0]?.entry.xattrs).toEqual(new Map([["security.capability", value]]));
  });

  it("names kinds that no layer should hold, and skips their content", () => {
    const archive = Buffer.concat([
      block({ path: "volume", flag: "V" }),
      block({ path: "multi", flag: "M", size: 600 }),
      Buffer.alloc(1024, 1),
      block({ path: "after", flag: "0" }),
      tarEnd,
    ]);

    expect(readArchive(archive).map(({ entry }) => [entry.path, entry.kind])).toEqual([
      ["volume", undefined],
      ["multi", undefined],
      ["after", "file"],
    ]);
  });

  it("stops at the end that the archive marks", () => {
    const archive = Buffer.concat([archiveOf([{ entry: plain }]), Buffer.from("whatever follows")]);

    expect(readArchive(archive, [7]).length).toBe(1);
  });

  it("reads nothing from nothing", () => {
    expect(readArchive(Buffer.alloc(0))).toEqual([]);
    expect(readArchive(Buffer.from(tarEnd))).toEqual([]);
  });
});

describe("a malformed archive", () => {
  const header = Buffer.from(encodeTarHeader({ ...plain, size: 600 }));

  it.each([
    { what: "a flipped bit", archive: flipped(header), why: "a header with a wrong checksum" },
    { what: "no archive at all", archive: Buffer.alloc(2048, "x"), why: "a header with a wrong checksum" },
    { what: "half a header", archive: header.subarray(0, 300), why: "it stops in the middle of an entry" },
    {
      what: "half a content",
      archive: Buffer.concat([header, Buffer.alloc(599)]),
      why: "it stops in the middle of an entry",
    },
    {
      what: "a size that is no number",
      archive: block({ path: "a", flag: "0", sizeText: "12x" }),
      why: "a malformed number in a header",
    },
    {
      what: "a size of nines",
      archive: block({ path: "a", flag: "0", sizeText: "999" }),
      why: "a malformed number in a header",
    },
    {
      what: "a negative size",
      archive: block({ path: "a", flag: "0", sizeBytes: Buffer.alloc(12, 255) }),
      why: "a negative size",
    },
    {
      what: "a size beyond all",
      archive: block({ path: "a", flag: "0", sizeBytes: Buffer.concat([Buffer.of(0x80), Buffer.alloc(11, 255)]) }),
      why: "a number that is too large",
    },
    {
      what: "an owner that is no number",
      archive: block({ path: "a", flag: "0", owner: Buffer.from("root\0\0\0\0") }),
      why: "a malformed number in a header",
    },
    {
      what: "an extension of 5 MB",
      archive: block({ path: "a", flag: "x", size: 5_000_000 }),
      why: "an extended header of 5000000 bytes",
    },
    { what: "a sparse file of GNU", archive: block({ path: "a", flag: "S", gnu: true }), why: "a sparse file" },
    { what: "a sparse file of pax", archive: extended({ "GNU.sparse.major": "1" }), why: "a sparse file" },
    { what: "a pax size that is no number", archive: extended({ size: "1e3" }), why: "a malformed pax size" },
    { what: "a negative pax size", archive: extended({ size: "-5" }), why: "a malformed pax size" },
    { what: "a fraction as size", archive: extended({ size: "1.5" }), why: "a malformed pax size" },
    { what: "an endless pax size", archive: extended({ size: "Infinity" }), why: "a malformed pax size" },
    { what: "a pax size beyond all", archive: extended({ size: "9".repeat(40) }), why: "a number that is too large" },
    { what: "a pax owner that is no number", archive: extended({ uid: "root" }), why: "a malformed pax uid" },
    { what: "a pax time that is no number", archive: extended({ mtime: "now" }), why: "a malformed pax mtime" },
    { what: "a name with a zero byte", archive: extended({ path: "a\0b" }), why: "a name with a zero byte" },
    {
      what: "a link to a name with a zero byte",
      archive: extended({ linkpath: "\0" }),
      why: "a name with a zero byte",
    },
    { what: "a record without a length", archive: rawExtension("path=a\n"), why: "a malformed pax header" },
    { what: "a record of length 0", archive: rawExtension("10 path=a\n0 path=b\n"), why: "a malformed pax header" },
    {
      what: "a record with a length in hexadecimal",
      archive: rawExtension("0xb path=a\n"),
      why: "a malformed pax header",
    },
    { what: "a record that is longer than all", archive: rawExtension("99 path=a\n"), why: "a malformed pax header" },
    { what: "a record without an end", archive: rawExtension("9 path=ab"), why: "a malformed pax header" },
    { what: "a record without a value", archive: rawExtension("7 path\n"), why: "a malformed pax header" },
  ])("is refused: $what", ({ archive, why }) => {
    const reading = () => readArchive(archive, [100]);

    expect(reading).toThrow(TarError);
    expect(reading).toThrow(why);
  });

  it("never hangs, and is refused or read as far as it is whole", () => {
    const archive = archiveOf([
      { entry: { ...plain, path: "p".repeat(120), uid: 2 ** 22 }, content: Buffer.alloc(700, 1) },
      { entry: { ...plain, path: "b" }, content: Buffer.alloc(10, 2) },
    ]);
    fc.assert(
      fc.property(fc.nat({ max: archive.length - 1 }), fc.nat({ max: 255 }), pieceSizes, (at, value, sizes) => {
        const damaged = Buffer.from(archive);
        damaged[at] = value;

        expect(tryToRead(damaged, sizes)).toEqual(tryToRead(damaged, [damaged.length]));
      }),
      { numRuns: 300 },
    );
  });

  it("is refused wherever it is cut inside an entry", () => {
    const whole = archiveOf([{ entry: { ...plain, path: "p".repeat(120) }, content: Buffer.alloc(700, 1) }]);
    const contentEnd = 3 * 512 + 700;
    for (let length = 1; length < contentEnd; length += 37) {
      if (length % 512 === 0) continue;
      expect(() => readArchive(whole.subarray(0, length), [64])).toThrow(TarError);
    }
  });
});

function tryToRead(archive: Buffer, sizes: readonly number[]): unknown {
  try {
    return readArchive(archive, sizes);
  } catch (error) {
    expect(error).toBeInstanceOf(TarError);
    return String(error);
  }
}

function contentFor(kind: string, index: number): Buffer {
  return Buffer.alloc(kind === "file" ? index * 511 : 0, index);
}

const foreignItem: fc.Arbitrary<TarItem> = fc
  .record({
    path: entryPath.filter((path) => Buffer.from(path).toString() === path),
    type: fc.constantFrom<TarItem["type"]>("file", "directory", "symlink", "link", "character", "block", "fifo"),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.constantFrom(0, 1000, 2 ** 21 - 1, 2 ** 21, 2 ** 32 - 2),
    gid: fc.nat(),
    mtime: fc.nat({ max: 2 ** 31 }),
    content: fc.string({ maxLength: 600 }),
  })
  .map((item) => ({
    ...item,
    content: item.type === "file" ? item.content : undefined,
    linkPath: item.type === "link" || item.type === "symlink" ? `to/${item.path}` : undefined,
  }));

const kinds = { link: "hardlink", character: "character-device", block: "block-device" } as Readonly<
  Record<string, string>
>;

function expected({ path, type, mode, uid, gid, mtime, linkPath, content }: TarItem): object {
  return { path, kind: kinds[type] ?? type, mode, uid, gid, mtime, target: linkPath, content: `${content ?? ""}` };
}

function seen({ path, kind, mode, uid, gid, mtime, target }: ReturnType<typeof readArchive>[number]["entry"]): object {
  return { path, kind, mode, uid, gid, mtime, target };
}

interface Block {
  readonly path: string;
  readonly flag: string;
  readonly size?: number;
  readonly sizeText?: string;
  readonly sizeBytes?: Buffer;
  readonly owner?: Buffer;
  readonly prefix?: string;
  readonly gnu?: boolean;
}

/** A header as none of the encoders here writes it. */
function block({ path, flag, size = 0, sizeText, sizeBytes, owner, prefix = "", gnu = false }: Block): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0, 100, "latin1");
  header.write("0000644\0", 100, "latin1");
  (owner ?? Buffer.from("0000000\0")).copy(header, 108);
  header.write("0000000\0", 116, "latin1");
  (sizeBytes ?? Buffer.from((sizeText ?? size.toString(8)).padStart(11, "0"))).copy(header, 124);
  header.write("00000000000\0", 136, "latin1");
  header.write(flag, 156, "latin1");
  header.write(gnu ? "ustar  \0" : "ustar\x0000", 257, "latin1");
  header.write(prefix, 345, "latin1");
  header.write("        ", 148, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

function extension(flag: string, body: Buffer): Buffer {
  return Buffer.concat([
    block({ path: "extension", flag, size: body.length }),
    body,
    Buffer.alloc(tarPadding(body.length)),
  ]);
}

function rawExtension(text: string): Buffer {
  return Buffer.concat([extension("x", Buffer.from(text)), block({ path: "a", flag: "0" }), tarEnd]);
}

function extended(records: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat([extension("x", pax(records)), block({ path: "a", flag: "0" }), tarEnd]);
}

function pax(records: Readonly<Record<string, string | Buffer>>): Buffer {
  return Buffer.concat(
    Object.entries(records).map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
      let length = rest.length;
      while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[3] = (copy[3] as number) ^ 1;
  return copy;
}
