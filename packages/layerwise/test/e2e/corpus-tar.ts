// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { encodeTar, type TarItem } from "../../../lab/src/index.ts";
import type { Entry, PlainEntry } from "./corpus-case.ts";

/** The bytes of a file or an archive. */
export function contentOf(entry: Entry): Buffer {
  if (entry.type !== "archive") return entry.gzip ? gzipSync(plainContent(entry)) : plainContent(entry);
  const tar = encodeTar((entry.entries ?? []).map(tarItem));
  if (entry.packed !== undefined) return packings[entry.packed](tar);
  return entry.gzip ? gzipSync(tar) : tar;
}

/** Archives as other programs write them, or damaged. */
const packings: Readonly<Record<NonNullable<Entry["packed"]>, (tar: Buffer) => Buffer>> = {
  bzip2: (tar) => throughPython(tar, "import bz2; out.write(bz2.compress(data))"),
  xz: (tar) => throughPython(tar, "import lzma; out.write(lzma.compress(data))"),
  zstd: zstdFrame,
  gnu: (tar) => rewritten(tar, "format=tarfile.GNU_FORMAT"),
  "global-header": (tar) => rewritten(tar, "format=tarfile.PAX_FORMAT, pax_headers={'comment': 'c', 'path': 'p'}"),
  "no-end": (tar) => tar.subarray(0, -1024),
  members: (tar) => Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
  trailing: (tar) => Buffer.concat([gzipSync(tar), Buffer.alloc(1024)]),
  cut: (tar) => gzipSync(tar).subarray(0, -12),
};

/** The same entries, written anew by Python. https://docs.python.org/3/library/tarfile.html#tarfile.open */
function rewritten(tar: Buffer, options: string): Buffer {
  return throughPython(
    tar,
    `import tarfile
with tarfile.open(fileobj=io.BytesIO(data)) as given, tarfile.open(fileobj=out, mode="w", ${options}) as made:
  for one in given:
    one.pax_headers = {}
    made.addfile(one, given.extractfile(one) if one.isreg() else None)`,
  );
}

function throughPython(input: Buffer, script: string): Buffer {
  const start = "import io, sys; data = sys.stdin.buffer.read(); out = io.BytesIO()";
  const end = "sys.stdout.buffer.write(out.getvalue())";
  return execFileSync("python3", ["-c", `${start}\n${script}\n${end}`], { input });
}

/** One frame with raw blocks, which needs no compressor. https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1 */
function zstdFrame(content: Buffer): Buffer {
  const head = Buffer.from("28b52ffda000000000", "hex");
  head.writeUInt32LE(content.length, 5);
  const block = Buffer.alloc(3);
  block.writeUIntLE((content.length << 3) | 1, 0, 3);
  return Buffer.concat([head, block, content]);
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
