// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTar } from "../../../lab/src/index.ts";
import { archiveOf, readArchive, type TarFile, tarEntry } from "../../test/tar-archive.ts";
import { digestOf } from "./digest.ts";
import { encodeFileName } from "./file-name.ts";
import { encodeTarHeader, type TarEntry, tarPadding } from "./tar-header.ts";
import { type ReadEntry, startTarReader } from "./tar-reader.ts";

const plain = { path: "a", kind: "file", mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;

const tarFile: fc.Arbitrary<TarFile> = fc
  .tuple(tarEntry, fc.uint8Array({ maxLength: 1100 }))
  .map(([entry, content]) => ({ entry, content: entry.kind === "file" ? content : undefined }));

describe("encodeTarHeader", () => {
  it("writes what the reader gives back", () => {
    fc.assert(
      fc.property(fc.array(tarFile, { maxLength: 4 }), (files) => {
        const read = readArchive(archiveOf(files)).map(
          ({ entry: { offset, device, isAbsolute, ...entry }, content }) => ({
            entry,
            content,
          }),
        );

        expect(read).toEqual(
          files.map(({ entry, content = new Uint8Array() }) => ({
            entry: { ...entry, size: content.length, xattrs: shownXattrs(entry) },
            content: Buffer.from(content),
          })),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("writes what another reader understands in the same way", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(tarFile, { maxLength: 3 }), async (files) => {
        const read = await independentlyRead(archiveOf(files));

        expect(read).toEqual(files.map(expectedElsewhere));
      }),
      { numRuns: 100 },
    );
  });

  it("gives the same entry the same bytes, whatever the order of its attributes", () => {
    const [one, other] = [new Map(pairs), new Map([...pairs].reverse())];

    expect(encodeTarHeader({ ...plain, size: 0, xattrs: one })).toEqual(
      encodeTarHeader({ ...plain, size: 0, xattrs: other }),
    );
  });

  it("writes these bytes, on which diff IDs rest", () => {
    const archive = archiveOf([
      { entry: { ...plain, path: "usr", kind: "directory", mode: 0o755, mtime: 1_700_000_000 } },
      { entry: { ...plain, path: "usr/größe", mode: 0o4755, uid: 3_000_000, mtime: -5 }, content: Buffer.from("x") },
      { entry: { ...plain, path: "usr/link", kind: "symlink", mode: 0o777, target: "t".repeat(120) } },
      { entry: { ...plain, path: `${"d".repeat(90)}/${"e".repeat(90)}`, kind: "hardlink", target: "usr/größe" } },
    ]);

    expect(digestOf(archive)).toBe("sha256:53300f725469c155f7d7128ddde1c50a85ecd9bcba73791b56cf416b90cd8dfa");
  });

  it("needs one block for what fits, however long the directories are", () => {
    const path = `${"d".repeat(155)}/${"n".repeat(100)}`;

    expect(encodeTarHeader({ ...plain, path, size: 0 }).length).toBe(512);
    expect(encodeTarHeader({ ...plain, path: `${path}n`, size: 0 }).length).toBe(3 * 512);
  });

  it.each([
    { what: "a size beyond 8 GiB", entry: { size: 2 ** 33 } },
    { what: "a size of 20 TB", entry: { size: 20e12 } },
    { what: "the largest size that fits", entry: { size: 2 ** 33 - 1 } },
    { what: "an owner beyond the field", entry: { uid: 2 ** 21, gid: 2 ** 32 - 2 } },
    { what: "a time before 1970", entry: { mtime: -1 } },
    { what: "a time beyond 2242", entry: { mtime: 2 ** 33 } },
  ])("keeps $what", ({ entry }) => {
    const wanted: TarEntry = { ...plain, size: 0, ...entry };

    expect(headerOnly(Buffer.from(encodeTarHeader(wanted)))).toMatchObject(wanted);
  });

  it("counts the length of a record's length right where it gains a digit", () => {
    for (let length = 60; length < 1100; length++) {
      const path = "p".repeat(length);

      expect(readArchive(archiveOf([{ entry: { ...plain, path } }]))[0]?.entry.path).toBe(path);
    }
  });
});

describe("tarPadding", () => {
  it.each([
    [0, 0],
    [1, 511],
    [511, 1],
    [512, 0],
    [513, 511],
    [2 ** 40 + 1, 511],
  ])("after %d bytes is %d", (size, padding) => {
    expect(tarPadding(size)).toBe(padding);
  });
});

const pairs: readonly (readonly [string, Uint8Array])[] = [
  ["user.b", Buffer.from("2")],
  ["security.capability", Buffer.of(1, 0, 10, 61, 255)],
  ["user.a", Buffer.from("1")],
];

/** What is read are views of another class; what counts are bytes. */
function shownXattrs({ xattrs }: Pick<TarEntry, "xattrs">): ReadonlyMap<string, Buffer> | undefined {
  return xattrs && new Map([...xattrs].map(([name, value]) => [name, Buffer.from(value)]));
}

/** What the header alone says; the content of such sizes is not for a test. */
function headerOnly(bytes: Buffer): ReadEntry | undefined {
  let found: ReadEntry | undefined;
  const reader = startTarReader((entry) => {
    found = entry;
    return undefined;
  });
  reader.write(bytes);
  return found;
}

async function independentlyRead(archive: Buffer): Promise<unknown[]> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield archive;
  }
  const files: unknown[] = [];
  for await (const { path, type, mode, uid, gid, mtime, linkPath, xattrs, content } of readTar(bytes())) {
    const parts: Uint8Array[] = [];
    for await (const chunk of content()) parts.push(chunk);
    files.push({ path, type, mode, uid, gid, mtime, linkPath, xattrs, content: Buffer.concat(parts) });
  }
  return files;
}

const otherKinds = {
  hardlink: "link",
  "character-device": "character",
  "block-device": "block",
} as Readonly<Record<string, string>>;

function expectedElsewhere({ entry, content = new Uint8Array() }: TarFile): unknown {
  const { path, kind, mode, uid, gid, mtime, target = "" } = entry;
  return {
    path: shown(kind === "directory" ? `${path}/` : path),
    type: otherKinds[kind] ?? kind,
    mode,
    uid,
    gid,
    mtime,
    linkPath: shown(target),
    xattrs: shownXattrs(entry) ?? new Map(),
    content: Buffer.from(content),
  };
}

/** The other reader's form of names that are no text. */
function shown(name: string): string {
  const bytes = encodeFileName(name);
  const text = bytes.toString("utf8");
  if (!text.includes("\ufffd")) return text;
  return bytes.toString("latin1").replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}
