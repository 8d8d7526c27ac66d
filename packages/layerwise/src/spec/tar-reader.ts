// SPDX-License-Identifier: Apache-2.0
import { decodeFileName } from "./file-name.ts";
import { type TarEntry, type TarKind, tarBlock, tarPadding } from "./tar-header.ts";

/** An entry as read; `kind` is undefined for a type flag that no layer should hold. */
export interface ReadEntry extends Omit<TarEntry, "kind"> {
  readonly kind: TarKind | undefined;
  /** Where its content begins, in bytes from the start of the archive. */
  readonly offset: number;
}

/** Receives the content of one entry. */
export interface ContentSink {
  data(chunk: Uint8Array): void;
  end?(): void;
}

/** Reads an archive from chunks of any size. */
export interface TarReader {
  write(chunk: Uint8Array): void;
  /** Says that no more bytes follow. Throws if the archive stops in the middle of an entry. */
  end(): void;
}

/** An archive that is malformed or uses an extension that we do not read. */
export class TarError extends Error {}

/** Longest pax or GNU extension body that is read; real ones have some hundred bytes. */
const maxExtensionBytes = 4 * 1024 * 1024;

/**
 * Reads ustar, pax and GNU archives, synchronously and in constant memory.
 *
 * @param onEntry called for each entry; returns who receives its content, or undefined to skip it
 */
export function startTarReader(onEntry: (entry: ReadEntry) => ContentSink | undefined): TarReader {
  const header = Buffer.alloc(tarBlock);
  let filled = 0;
  let left = 0;
  let padding = 0;
  let sink: ContentSink | undefined;
  let ended = false;
  let position = 0;
  let global: PaxValues = new Map();
  let local: PaxValues = new Map();

  function write(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !ended) {
      if (left > 0) {
        const take = Math.min(left, chunk.length - at);
        sink?.data(chunk.subarray(at, at + take));
        left -= take;
        at += take;
        position += take;
        if (left === 0) finishEntry();
      } else if (padding > 0) {
        const take = Math.min(padding, chunk.length - at);
        padding -= take;
        at += take;
        position += take;
      } else {
        const take = Math.min(tarBlock - filled, chunk.length - at);
        header.set(chunk.subarray(at, at + take), filled);
        filled += take;
        at += take;
        position += take;
        if (filled === tarBlock) startEntry();
      }
    }
  }

  function startEntry(): void {
    filled = 0;
    if (header.every((byte) => byte === 0)) {
      ended = true;
      return;
    }
    checkSum(header);
    const flag = String.fromCharCode(header[156] as number);
    const size = numberAt(header, 124, 12);
    const extension = extensionSink(flag, size);
    if (extension !== undefined) {
      startContent(size, extension);
      return;
    }
    const pax: PaxValues = new Map([...global, ...local]);
    local = new Map();
    const entry = entryOf(header, { flag, size, pax, offset: position });
    startContent(entry.size, onEntry(entry));
  }

  function startContent(size: number, receiver: ContentSink | undefined): void {
    left = size;
    padding = tarPadding(size);
    sink = receiver;
    if (left === 0) finishEntry();
  }

  function finishEntry(): void {
    sink?.end?.();
    sink = undefined;
  }

  /** Headers that describe the entry after them: pax (x, g) and GNU long names (L, K). */
  function extensionSink(flag: string, size: number): ContentSink | undefined {
    if (!"xgLK".includes(flag)) return undefined;
    if (size > maxExtensionBytes) throw new TarError(`an extended header of ${size} bytes`);
    const parts: Uint8Array[] = [];
    return {
      data: (chunk) => parts.push(Uint8Array.from(chunk)),
      end: () => {
        const body = Buffer.concat(parts);
        if (flag === "x") local = new Map([...local, ...paxValues(body)]);
        else if (flag === "g") global = new Map([...global, ...paxValues(body)]);
        else local.set(flag === "L" ? "path" : "linkpath", untilNul(body));
      },
    };
  }

  return {
    write,
    end() {
      if (left > 0 || filled > 0) throw new TarError("it stops in the middle of an entry");
    },
  };
}

type PaxValues = Map<string, Buffer>;

function paxValues(body: Buffer): PaxValues {
  const values: PaxValues = new Map();
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : Number(body.toString("latin1", at, space));
    const end = at + length;
    const equals = body.indexOf(0x3d, space);
    if (!(length > 0) || end > body.length || body[end - 1] !== 0x0a || equals === -1 || equals >= end) {
      throw new TarError("a malformed pax header");
    }
    values.set(body.toString("utf8", space + 1, equals), body.subarray(equals + 1, end - 1));
    at = end;
  }
  return values;
}

const kinds: Readonly<Record<string, TarKind>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
};

function entryOf(
  header: Buffer,
  { flag, size, pax, offset }: { flag: string; size: number; pax: PaxValues; offset: number },
): ReadEntry {
  const isUstar = header.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isUstar ? untilNul(header.subarray(345, 500)) : Buffer.alloc(0);
  const short = untilNul(header.subarray(0, 100));
  const name = pax.get("path") ?? (prefix.length > 0 ? Buffer.concat([prefix, Buffer.from("/"), short]) : short);
  const link = pax.get("linkpath") ?? untilNul(header.subarray(157, 257));
  const rawPath = decodeFileName(name);
  // V7 archives mark a directory by the slash alone.
  const kind = kinds[flag] === "file" && rawPath.endsWith("/") ? "directory" : kinds[flag];
  const hasContent = kind === "file" || kind === undefined;
  return {
    path: cleanPath(rawPath),
    kind,
    mode: numberAt(header, 100, 8) & 0o7777,
    uid: paxNumber(pax, "uid") ?? numberAt(header, 108, 8),
    gid: paxNumber(pax, "gid") ?? numberAt(header, 116, 8),
    mtime: Math.floor(paxNumber(pax, "mtime") ?? numberAt(header, 136, 12)),
    size: hasContent ? (paxNumber(pax, "size") ?? size) : 0,
    target: link.length === 0 ? undefined : decodeFileName(link),
    xattrs: xattrsOf(pax),
    offset,
  };
}

function xattrsOf(pax: PaxValues): ReadonlyMap<string, Uint8Array> | undefined {
  const prefix = "SCHILY.xattr.";
  const found = [...pax].filter(([key]) => key.startsWith(prefix));
  return found.length === 0 ? undefined : new Map(found.map(([key, value]) => [key.slice(prefix.length), value]));
}

function paxNumber(pax: PaxValues, key: string): number | undefined {
  const value = pax.get(key);
  if (value === undefined) return undefined;
  const number = Number(value.toString("latin1"));
  if (Number.isNaN(number)) throw new TarError(`a malformed pax ${key}`);
  return number;
}

/** Octal text, or GNU's base-256 if the first bit is set (two's complement). */
function numberAt(block: Buffer, offset: number, width: number): number {
  const first = block[offset] as number;
  if ((first & 0x80) === 0) {
    const text = untilNul(block.subarray(offset, offset + width))
      .toString("latin1")
      .trim();
    const number = text === "" ? 0 : Number.parseInt(text, 8);
    if (Number.isNaN(number)) throw new TarError("a malformed number in a header");
    return number;
  }
  let value = BigInt(first & 0x7f);
  for (let index = 1; index < width; index++) value = (value << 8n) | BigInt(block[offset + index] as number);
  const bits = BigInt(width * 8 - 1);
  return Number((first & 0x40) === 0 ? value : value - (1n << bits));
}

function checkSum(header: Buffer): void {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let index = 0; index < tarBlock; index++) {
    if (index >= 148 && index < 156) continue;
    const byte = header[index] as number;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stored = Number.parseInt(untilNul(header.subarray(148, 156)).toString("latin1").trim(), 8);
  if (stored !== unsigned && stored !== signed) throw new TarError("a header with a wrong checksum");
}

function untilNul(bytes: Buffer): Buffer {
  const nul = bytes.indexOf(0);
  return nul === -1 ? bytes : bytes.subarray(0, nul);
}

/** `./a//b/` → `a/b`; the root is the empty path. `..` stays, for the caller to refuse. */
function cleanPath(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}
