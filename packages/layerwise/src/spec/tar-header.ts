// SPDX-License-Identifier: Apache-2.0
import { encodeFileName } from "./file-name.ts";

/** What kind of file an archive entry is. */
export type TarKind = "file" | "hardlink" | "symlink" | "character-device" | "block-device" | "directory" | "fifo";

/** One entry of a layer, without its content. */
export interface TarEntry {
  /** Relative to the root, without a leading slash; directories without a trailing one. */
  readonly path: string;
  readonly kind: TarKind;
  /** Permission bits with setuid, setgid and sticky: 0 to 07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970; negative before. */
  readonly mtime: number;
  /** Bytes; only files have any. */
  readonly size: number;
  /** Where a symlink points, or the path of the entry that a hard link shares its content with. */
  readonly target?: string | undefined;
  readonly xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** Bytes of a tar block. */
export const tarBlock = 512;

/** The two zero blocks that end an archive. */
export const tarEnd: Uint8Array = new Uint8Array(2 * tarBlock);

const typeFlags: Readonly<Record<TarKind, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

/** How many zero bytes follow content of this size. */
export function tarPadding(size: number): number {
  return (tarBlock - (size % tarBlock)) % tarBlock;
}

/**
 * Encodes an entry's header: ustar where it suffices, with a pax header before it where not (POSIX.1-2017, pax
 * interchange format). The same entry gives the same bytes; there are no user names and no times but the mtime.
 */
export function encodeTarHeader(entry: TarEntry): Uint8Array {
  const path = encodeFileName(entry.kind === "directory" ? `${entry.path}/` : entry.path);
  const target = entry.target === undefined ? Buffer.alloc(0) : encodeFileName(entry.target);
  const records = paxRecords(entry, { path, target });
  const header = ustarHeader(entry, { path, target });
  if (records.length === 0) return header;
  const body = Buffer.concat(records);
  return Buffer.concat([paxHeader(body.length), body, Buffer.alloc(tarPadding(body.length)), header]);
}

interface Names {
  readonly path: Buffer;
  readonly target: Buffer;
}

const nameField = 100;
const prefixField = 155;
/** Largest numbers that fit the octal fields of 8 and 12 bytes with their terminators. */
const largestShort = 0o7777777;
const largestLong = 0o77777777777;

function paxRecords(entry: TarEntry, { path, target }: Names): Buffer[] {
  const records: Buffer[] = [];
  const add = (key: string, value: Uint8Array | string) => records.push(paxRecord(key, Buffer.from(value)));
  if (splitPath(path) === undefined || !isAscii(path)) add("path", path);
  if (target.length > nameField || !isAscii(target)) add("linkpath", target);
  if (entry.size > largestLong) add("size", String(entry.size));
  if (entry.uid > largestShort) add("uid", String(entry.uid));
  if (entry.gid > largestShort) add("gid", String(entry.gid));
  if (entry.mtime < 0 || entry.mtime > largestLong) add("mtime", String(entry.mtime));
  for (const [name, value] of [...(entry.xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
    add(`SCHILY.xattr.${name}`, value);
  }
  return records;
}

/** "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.byteLength(key) + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from("\n")]);
}

function paxHeader(size: number): Buffer {
  const block = Buffer.alloc(tarBlock);
  block.write("PaxHeaders.0/entry", 0, "latin1");
  writeNumbers(block, { mode: 0o644, uid: 0, gid: 0, size, mtime: 0 });
  block.write("x", 156, "latin1");
  return finished(block);
}

function ustarHeader(entry: TarEntry, { path, target }: Names): Buffer {
  const block = Buffer.alloc(tarBlock);
  const split = splitPath(path);
  // A name that the pax header carries is cut here; readers of pax headers ignore it.
  (split?.name ?? path.subarray(0, nameField)).copy(block, 0);
  split?.prefix.copy(block, 345);
  target.subarray(0, nameField).copy(block, 157);
  writeNumbers(block, {
    mode: entry.mode,
    uid: entry.uid > largestShort ? 0 : entry.uid,
    gid: entry.gid > largestShort ? 0 : entry.gid,
    size: entry.size > largestLong ? 0 : entry.size,
    mtime: entry.mtime < 0 || entry.mtime > largestLong ? 0 : entry.mtime,
  });
  block.write(typeFlags[entry.kind], 156, "latin1");
  return finished(block);
}

interface Numbers {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
}

function writeNumbers(block: Buffer, { mode, uid, gid, size, mtime }: Numbers): void {
  writeOctal(block, mode, { offset: 100, width: 7 });
  writeOctal(block, uid, { offset: 108, width: 7 });
  writeOctal(block, gid, { offset: 116, width: 7 });
  writeOctal(block, size, { offset: 124, width: 11 });
  writeOctal(block, mtime, { offset: 136, width: 11 });
}

function writeOctal(block: Buffer, value: number, { offset, width }: { offset: number; width: number }): void {
  block.write(value.toString(8).padStart(width, "0"), offset, "latin1");
}

function finished(block: Buffer): Buffer {
  block.write("ustar\x0000", 257, "latin1");
  block.write("        ", 148, "latin1");
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** Splits a path at a slash into the ustar prefix and name fields; undefined if it does not fit. */
function splitPath(path: Buffer): { prefix: Buffer; name: Buffer } | undefined {
  if (path.length <= nameField) return { prefix: Buffer.alloc(0), name: path };
  const last = Math.min(prefixField, path.length - 2);
  for (let slash = last; slash > 0; slash--) {
    if (path[slash] !== 0x2f) continue;
    if (path.length - slash - 1 > nameField) return undefined;
    return { prefix: path.subarray(0, slash), name: path.subarray(slash + 1) };
  }
  return undefined;
}

function isAscii(bytes: Buffer): boolean {
  return bytes.every((byte) => byte < 0x80);
}
