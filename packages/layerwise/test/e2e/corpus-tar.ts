// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { encodeTar, type TarItem } from "../../../lab/src/index.ts";
import type { Entry, PlainEntry } from "./corpus-case.ts";

/** The bytes of a file or an archive. */
export function contentOf(entry: Entry): Buffer {
  if (entry.type !== "archive") return plainContent(entry);
  const tar = encodeTar((entry.entries ?? []).map(tarItem));
  return entry.gzip ? gzipSync(tar) : tar;
}

/** An entry as a tar has it. */
export function tarItem(entry: PlainEntry): TarItem {
  const { path, type, target, uid, gid, mtime, mode } = entry;
  const common = { uid, gid, mtime, mode: mode === undefined ? undefined : Number.parseInt(mode, 8) };
  const slash = path.lastIndexOf("/") + 1;
  switch (type) {
    case "directory":
      return { ...common, path: `${path}/`, type };
    case "whiteout":
      return { ...common, path: `${path.slice(0, slash)}.wh.${path.slice(slash)}`, type: "file", content: "" };
    case "opaque":
      return { ...common, path: `${path}/.wh..wh..opq`, type: "file", content: "" };
    case "symlink":
      return { ...common, path, type, linkPath: target };
    case "hardlink":
      return { ...common, path, type: "link", linkPath: target };
    case "file":
      return { ...common, path, type, content: plainContent(entry) };
    case "fifo":
      return { ...common, path, type };
    case "character":
      return { ...common, path, type, device: { major: 1, minor: 3 } };
    default:
      throw new Error(`a layer of the corpus has no ${type}`);
  }
}

/** `size` bytes that do not compress, always the same; else the text. */
function plainContent({ content, size }: Pick<PlainEntry, "content" | "size">): Buffer {
  if (size === undefined) return Buffer.from(content ?? "");
  return createHash("shake256", { outputLength: size }).digest();
}
