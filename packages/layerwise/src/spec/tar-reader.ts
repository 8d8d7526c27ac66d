// SPDX-License-Identifier: Apache-2.0
import { decodeFileName } from "./file-name.ts";
import { type TarEntry, type TarKind, tarBlock, tarPadding } from "./tar-header.ts";

/** An entry as read; `kind` is undefined for a type flag that no layer should hold. */
export interface ReadEntry extends Omit<TarEntry, "kind"> {
  readonly kind: TarKind | undefined;
  /** Major and minor number of a device; undefined for everything else. */
  readonly device: string | undefined;
  /** Whether its name began with a slash. */
  readonly isAbsolute: boolean;
  /** Where its content begins, in bytes from the start of the archive. */
  readonly offset: number;
}

/** Receives the content of one entry. A chunk is only valid during the call. */
export interface ContentSink {
  data(chunk: Uint8Array): void;
  end?(): void;
}

/** Reads an archive from chunks of any size. */
export interface TarReader {
  write(chunk: Uint8Array): void;
  /** Says that no more bytes follow. Throws if the archive stops in the middle of an entry. */
  end(): void;
  /** Whether the two zero blocks were read that end an archive; some writers leave them out. */
  isEnded(): boolean;
}

/** An archive that is malformed or uses an extension that we do not read. */
export class TarError extends Error {}

/** Longest pax or GNU extension body that is read, as in Go's reader; real ones have some hundred bytes. */
const maxExtensionBytes = 1024 * 1024;

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
  let zeroBlocks = 0;
  let position = 0;
  let extended: PaxValues = new Map();

  function write(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && zeroBlocks < 2) {
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
      zeroBlocks += 1;
      return;
    }
    if (zeroBlocks > 0) throw new TarError("a zero block between entries");
    checkSum(header);
    const flag = String.fromCharCode(header[156] as number);
    const size = numberAt(header, 124, 12);
    if (size < 0) throw new TarError("a negative size");
    const extension = extensionSink(flag, size);
    if (extension !== undefined) {
      startContent(size, extension);
      return;
    }
    const entry = entryOf(header, { flag, size, pax: extended, offset: position });
    extended = new Map();
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

  /**
   * Headers that describe the entry after them: pax (x) and GNU long names (L, K). Global pax headers (g) are dropped,
   * as Go's reader and with it every engine drops them.
   */
  function extensionSink(flag: string, size: number): ContentSink | undefined {
    if (!"xgLK".includes(flag)) return undefined;
    if (size > maxExtensionBytes) throw new TarError(`an extended header of ${size} bytes`);
    // Readers differ in which of them counts; no writer makes such entries.
    if (extended.size > 0 && (flag === "x" || flag === "g" || extended.has(anyPax))) {
      throw new TarError("several extended headers for one entry");
    }
    const parts: Uint8Array[] = [];
    return {
      data: (chunk) => parts.push(Uint8Array.from(chunk)),
      end: () => {
        const body = Buffer.concat(parts);
        if (flag === "x") extended = paxValues(body).set(anyPax, body);
        else if (flag !== "g") extended.set(flag === "L" ? "path" : "linkpath", untilNul(body));
      },
    };
  }

  return {
    write,
    end() {
      if (left > 0 || filled > 0 || extended.size > 0) throw new TarError("it stops in the middle of an entry");
    },
    isEnded: () => zeroBlocks === 2,
  };
}

type PaxValues = Map<string, Buffer>;

/** Says that there was a pax header; no key of a record is empty. */
const anyPax = "";

function paxValues(body: Buffer): PaxValues {
  const values: PaxValues = new Map();
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const digits = body.toString("latin1", at, Math.max(at, space));
    const end = at + Number(/^[0-9]+$/.test(digits) ? digits : Number.NaN);
    const equals = body.indexOf(0x3d, space);
    if (!(end <= body.length) || body[end - 1] !== 0x0a || equals === -1 || equals >= end) {
      throw new TarError("a malformed pax header");
    }
    addPaxValue(values, { key: body.toString("utf8", space + 1, equals), value: body.subarray(equals + 1, end - 1) });
    at = end;
  }
  return values;
}

/** An empty value leaves the header's own in force, as in Go's reader. */
function addPaxValue(values: PaxValues, { key, value }: { key: string; value: Buffer }): void {
  if (key === "") throw new TarError("a malformed pax header");
  if (key.startsWith("GNU.sparse.")) throw new TarError("a sparse file");
  if ((key === "path" || key === "linkpath") && value.includes(0)) throw new TarError("a name with a zero byte");
  if (value.length > 0) values.set(key, value);
}

const kinds: Readonly<Record<string, TarKind>> = {
  "0": "file",
  "\0": "file",
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
  if (flag === "S") throw new TarError("a sparse file");
  checkFields(header);
  const prefix = prefixOf(header);
  const short = untilNul(header.subarray(0, 100));
  const name = pax.get("path") ?? (prefix.length > 0 ? Buffer.concat([prefix, Buffer.from("/"), short]) : short);
  const link = pax.get("linkpath") ?? untilNul(header.subarray(157, 257));
  const rawPath = decodeFileName(name);
  // V7 archives mark a directory by the slash alone; elsewhere a name may just be cut there.
  const kind = flag === "\0" && rawPath.endsWith("/") ? "directory" : kinds[flag];
  const hasContent = kind === "file" || kind === undefined;
  return {
    path: cleanPath(rawPath),
    kind,
    mode: numberAt(header, 100, 8) & 0o7777,
    uid: paxNumber(pax, "uid") ?? numberAt(header, 108, 8),
    gid: paxNumber(pax, "gid") ?? numberAt(header, 116, 8),
    mtime: paxTime(pax) ?? numberAt(header, 136, 12),
    size: hasContent ? (paxNumber(pax, "size") ?? size) : 0,
    target: targetOf(link, kind),
    xattrs: xattrsOf(pax),
    device: kind?.endsWith("device") === true ? `${numberAt(header, 329, 8)}:${numberAt(header, 337, 8)}` : undefined,
    isAbsolute: rawPath.startsWith("/"),
    offset,
  };
}

/** Fields that say nothing here, and that other readers refuse an archive for. */
function checkFields(header: Buffer): void {
  const magic = magicOf(header);
  if (magic !== "old") for (const offset of [329, 337]) numberAt(header, offset, 8);
  // Old writers of Go put a prefix where GNU has times, and readers guess.
  if (magic === "gnu") for (const offset of [345, 357]) if (header[offset] !== 0) numberAt(header, offset, 12);
}

/** The part of a long name that the ustar format keeps elsewhere; in star's form times follow it. */
function prefixOf(header: Buffer): Buffer {
  if (magicOf(header) !== "ustar") return Buffer.alloc(0);
  const isStar = header.toString("latin1", 508, 512) === "tar\0";
  return untilNul(header.subarray(345, isStar ? 476 : 500));
}

function magicOf(header: Buffer): "ustar" | "gnu" | "old" {
  if (header.toString("latin1", 257, 263) === "ustar\0") return "ustar";
  return header.toString("latin1", 257, 265) === "ustar  \0" ? "gnu" : "old";
}

/** A hard link names another entry, a symlink any text. */
function targetOf(link: Buffer, kind: TarKind | undefined): string | undefined {
  if (link.length === 0) return undefined;
  const text = decodeFileName(link);
  return kind === "hardlink" ? cleanPath(text) : text;
}

function xattrsOf(pax: PaxValues): ReadonlyMap<string, Uint8Array> | undefined {
  const prefix = "SCHILY.xattr.";
  const found = [...pax].filter(([key]) => key.startsWith(prefix));
  return found.length === 0 ? undefined : new Map(found.map(([key, value]) => [key.slice(prefix.length), value]));
}

function paxNumber(pax: PaxValues, key: string): number | undefined {
  const text = pax.get(key)?.toString("latin1");
  if (text === undefined) return undefined;
  if (!/^[0-9]+$/.test(text)) throw new TarError(`a malformed pax ${key}`);
  return safeNumber(Number(text));
}

/** Whole seconds; the fraction says how much later it was. */
function paxTime(pax: PaxValues): number | undefined {
  const text = pax.get("mtime")?.toString("latin1");
  if (text === undefined) return undefined;
  if (!/^-?[0-9]+(?:\.[0-9]*)?$/.test(text)) throw new TarError("a malformed pax mtime");
  return safeNumber(Math.floor(Number(text)));
}

function safeNumber(number: number): number {
  if (!Number.isSafeInteger(number)) throw new TarError("a number that is too large");
  return number;
}

/** Octal text, or GNU's base-256 if the first bit is set (two's complement). */
function numberAt(block: Buffer, offset: number, width: number): number {
  const first = block[offset] as number;
  if ((first & 0x80) === 0) {
    const text = untilNul(withoutStart(block.subarray(offset, offset + width)))
      .toString("latin1")
      .trim();
    if (!/^[0-7]*$/.test(text)) throw new TarError("a malformed number in a header");
    return text === "" ? 0 : Number.parseInt(text, 8);
  }
  let value = BigInt(first & 0x7f);
  for (let index = 1; index < width; index++) value = (value << 8n) | BigInt(block[offset + index] as number);
  const bits = BigInt(width * 8 - 1);
  return safeNumber(Number((first & 0x40) === 0 ? value : value - (1n << bits)));
}

function checkSum(header: Buffer): void {
  if (!hasTarChecksum(header)) throw new TarError("a header with a wrong checksum");
  // Digits with something behind them are a number only to some readers.
  numberAt(header, 148, 8);
}

/** Whether a block has the checksum of a tar header, in whatever way it is written. */
export function hasTarChecksum(block: Uint8Array): boolean {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let index = 0; index < tarBlock; index++) {
    if (index >= 148 && index < 156) continue;
    const byte = block[index] as number;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const text = Buffer.from(block.subarray(148, 156)).toString("latin1").replaceAll("\0", " ").trim();
  const stored = Number.parseInt(text, 8);
  return stored === unsigned || stored === signed;
}

function withoutStart(bytes: Buffer): Buffer {
  let start = 0;
  while (bytes[start] === 0 || bytes[start] === 0x20) start += 1;
  return bytes.subarray(start);
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
