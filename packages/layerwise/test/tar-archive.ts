// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { decodeFileName } from "../src/spec/file-name.ts";
import { encodeTarHeader, type TarEntry, tarEnd, tarPadding } from "../src/spec/tar-header.ts";
import { type ReadEntry, startTarReader } from "../src/spec/tar-reader.ts";

/** An entry with its content. */
export interface TarFile {
  readonly entry: Omit<TarEntry, "size">;
  readonly content?: Uint8Array | undefined;
}

/** An entry as it was read, content included. */
export interface ReadFile {
  readonly entry: ReadEntry;
  readonly content: Buffer;
}

/** A whole archive. */
export function archiveOf(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap(({ entry, content = Buffer.alloc(0) }) => [
    encodeTarHeader({ ...entry, size: content.length }),
    content,
    Buffer.alloc(tarPadding(content.length)),
  ]);
  return Buffer.concat([...parts, tarEnd]);
}

/** Reads a whole archive, in pieces of any size. */
export function readArchive(archive: Uint8Array, pieces: readonly number[] = [archive.length]): ReadFile[] {
  const files: { entry: ReadEntry; parts: Uint8Array[] }[] = [];
  const reader = startTarReader((entry) => {
    const parts: Uint8Array[] = [];
    files.push({ entry, parts });
    return { data: (chunk) => void parts.push(Uint8Array.from(chunk)) };
  });
  for (const piece of cut(archive, pieces)) reader.write(piece);
  reader.end();
  return files.map(({ entry, parts }) => ({ entry, content: Buffer.concat(parts) }));
}

/** Cuts bytes into pieces of the sizes given, over and over. */
export function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = Math.max(1, sizes[index % sizes.length] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Arbitrary sizes of pieces. */
export const pieceSizes: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 1500 }), {
  minLength: 1,
  maxLength: 6,
});

const segment = fc
  .oneof(
    { weight: 4, arbitrary: fc.stringMatching(/^[a-z.=\n "'\\-]{1,12}$/) },
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
    fc.uint8Array({ minLength: 1, maxLength: 20 }).map(decodeFileName),
    fc.nat({ max: 260 }).map((length) => "n".repeat(length + 1)),
  )
  .map((name) => name.replace(/[/\0]/g, "_"))
  .filter((name) => name !== "." && name !== "..");

/** Arbitrary clean paths: short, very long, with text of all kinds and bytes that are none. */
export const entryPath: fc.Arbitrary<string> = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join("/"));

const owner = fc.oneof(fc.nat({ max: 70_000 }), fc.constantFrom(0o7777777, 0o10000000, 4_294_967_294));
const time = fc.oneof(
  fc.integer({ min: -10_000, max: 2_000_000_000 }),
  fc.constantFrom(-1, 0, 2 ** 31, 2 ** 32, 0o77777777777, 0o100000000000, -62_135_596_800),
);

/** Arbitrary entries of all kinds but for their size. */
export const tarEntry: fc.Arbitrary<Omit<TarEntry, "size">> = fc
  .record({
    path: entryPath,
    kind: fc.constantFrom<TarEntry["kind"]>(
      "file",
      "file",
      "directory",
      "hardlink",
      "symlink",
      "character-device",
      "block-device",
      "fifo",
    ),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: owner,
    gid: owner,
    mtime: time,
    link: entryPath,
    xattrs: fc.option(
      fc
        .uniqueArray(
          fc.tuple(
            fc.stringMatching(/^(?:user|security|trusted)\.[a-zé]{1,8}$/),
            fc.uint8Array({ minLength: 1, maxLength: 40 }),
          ),
          {
            selector: ([name]) => name,
            minLength: 1,
            maxLength: 3,
          },
        )
        .map((pairs) => new Map(pairs)),
    ),
  })
  .map(({ link, xattrs, ...entry }) => {
    const target = entry.kind === "hardlink" ? link : entry.kind === "symlink" ? `../${link}/` : undefined;
    return { ...entry, target, xattrs: xattrs ?? undefined };
  });
