// SPDX-License-Identifier: Apache-2.0
import type { TarType } from "./tar-entry.ts";

/** An entry to write. */
export interface TarItem {
  readonly path: string;
  readonly type: TarType;
  /** 0755 for directories, 0777 for symlinks and 0644 for the rest by default. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Seconds since 1970; negative before. */
  readonly mtime?: number | undefined;
  readonly content?: string | Uint8Array | undefined;
  readonly linkPath?: string | undefined;
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
  readonly xattrs?: Readonly<Record<string, Uint8Array>> | undefined;
}

const blockSize = 512;
const flags: Readonly<Record<TarType, string>> = {
  file: "0",
  link: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};
/** The largest owner that fits into seven octal digits. */
const largestOwner = 0o7777777;

/** Writes a whole tar, with PAX headers only where an entry needs them. */
export function encodeTar(items: readonly TarItem[]): Buffer {
  return Buffer.concat([...items.flatMap(encodeItem), Buffer.alloc(2 * blockSize)]);
}

function encodeItem(item: TarItem): readonly Buffer[] {
  const content = Buffer.from(item.content ?? "");
  const records = Buffer.concat(paxRecords(item));
  const entry = [headerOf(item, { flag: flags[item.type], size: content.length }), ...padded(content)];
  if (records.length === 0) return entry;
  const extended: TarItem = { path: "pax", type: "file" };
  return [headerOf(extended, { flag: "x", size: records.length }), ...padded(records), ...entry];
}

/** https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06 */
function headerOf(item: TarItem, { flag, size }: { readonly flag: string; readonly size: number }): Buffer {
  const block = Buffer.alloc(blockSize);
  const defaultMode = { directory: 0o755, symlink: 0o777 }[item.type as string] ?? 0o644;
  const octal = (number: number, [offset, width]: readonly [number, number]) =>
    block.write(`${number.toString(8).padStart(width - 1, "0")}\0`, offset, "latin1");
  block.write(item.path, 0, 100, "utf8");
  octal(item.mode ?? defaultMode, [100, 8]);
  octal(Math.min(item.uid ?? 0, largestOwner), [108, 8]);
  octal(Math.min(item.gid ?? 0, largestOwner), [116, 8]);
  octal(size, [124, 12]);
  octal(Math.max(item.mtime ?? 0, 0), [136, 12]);
  block.write("        ", 148, "latin1");
  block.write(flag, 156, "latin1");
  block.write(item.linkPath ?? "", 157, 100, "utf8");
  block.write("ustar\x0000", 257, "latin1");
  octal(item.device?.major ?? 0, [329, 8]);
  octal(item.device?.minor ?? 0, [337, 8]);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function paxRecords(item: TarItem): readonly Buffer[] {
  const records: Buffer[] = [];
  const add = (key: string, value: string | Uint8Array) => records.push(record(key, Buffer.from(value)));
  if (needsRecord(item.path)) add("path", item.path);
  if (needsRecord(item.linkPath ?? "")) add("linkpath", item.linkPath ?? "");
  if ((item.uid ?? 0) > largestOwner) add("uid", String(item.uid));
  if ((item.gid ?? 0) > largestOwner) add("gid", String(item.gid));
  if ((item.mtime ?? 0) < 0) add("mtime", String(item.mtime));
  for (const [name, value] of Object.entries(item.xattrs ?? {})) add(`SCHILY.xattr.${name}`, value);
  return records;
}

function needsRecord(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the question is whether it is ASCII.
  return Buffer.byteLength(text) > 100 || !/^[\x00-\x7f]*$/.test(text);
}

/** The length counts itself: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03 */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = rest.length;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function padded(content: Buffer): readonly Buffer[] {
  return [content, Buffer.alloc((blockSize - (content.length % blockSize)) % blockSize)];
}
