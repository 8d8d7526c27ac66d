// SPDX-License-Identifier: Apache-2.0

/** What an entry of a tar is. */
export type TarType = "file" | "directory" | "symlink" | "link" | "character" | "block" | "fifo";

/** An entry of a tar, as written. */
export interface TarEntry {
  readonly path: string;
  readonly type: TarType;
  /** 0 to 07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  /** Where a symlink points, or which entry a hard link names; empty for others. */
  readonly linkPath: string;
  readonly device: { readonly major: number; readonly minor: number };
  /** Extended attributes, values as bytes. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Where the content starts in the archive. */
  readonly offset: number;
  /** The content; what is not read is skipped. To be read before the next entry is asked for. */
  content(): AsyncIterable<Uint8Array>;
}

/** A header before extensions are applied. */
export type TarHeader = Omit<TarEntry, "offset" | "content">;

/** A text up to its NUL; bytes that are no UTF-8 are shown, so that different names stay different. */
export function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  const bytes = end < 0 ? field : field.subarray(0, end);
  const text = bytes.toString("utf8");
  if (!text.includes("\ufffd")) return text;
  return bytes.toString("latin1").replace(/[\x80-\xff]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`);
}
