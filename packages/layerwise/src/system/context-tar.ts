// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readSync } from "node:fs";
import { LayerwiseError } from "../error.ts";
import type { BuildContext, CallOptions, ContextEntry, ContextTree, SpoolFile } from "../ports.ts";
import { decompressed } from "../spec/compression.ts";
import { type Digest, startDigest } from "../spec/digest.ts";
import { compareFileNames } from "../spec/file-name.ts";
import { type ReadEntry, startTarReader, TarError } from "../spec/tar-reader.ts";
import { contextTree } from "./context-tree.ts";

/** Bytes that are read at a time. */
const bufferBytes = 1024 * 1024;

/** Largest Dockerfile that is read as text, in bytes. */
const maxTextBytes = 4 * 1024 * 1024;

/** A spool file that lies on disk, so that parts of it can be read. */
export type DiskFile = SpoolFile & { readonly path: string };

interface Indexed {
  readonly entry: ContextEntry;
  /** Where its content begins in the archive. */
  readonly offset: number;
  /** Extended attributes as one text; undefined if there are none. */
  readonly xattrs: string | undefined;
}

/**
 * Opens a tar that came on stdin as build context. Its owners count, as BuildKit keeps them, and no ignore file does.
 *
 * @param received the archive as it came; gzip or plain
 * @param plain a place for the uncompressed archive, if it came compressed
 * @param dockerfile the Dockerfile's path in it
 */
export async function openContextTar(
  received: DiskFile,
  { plain, dockerfile }: { plain: () => Promise<DiskFile>; dockerfile: string },
): Promise<BuildContext> {
  const archive = (await isGzip(received)) ? await uncompress(received, await plain()) : received;
  const index = await indexOf(archive);
  const at = (path: string) => contentOf(archive.path, index.get(path) as Indexed);
  return {
    name: "-",
    location: { kind: "tar", path: received.path, dockerfile },
    list: async () => treeOf(index),
    digests: async (files, options) => await Promise.all(files.map((file) => digestOfContent(at(file.path), options))),
    open: (file) => at(file.path),
    text: async (path) => (index.get(path)?.entry.kind === "file" ? await textOf(at(path)) : undefined),
    capabilities: async (files) => capabilitiesOf(files, index),
  };
}

async function isGzip(file: SpoolFile): Promise<boolean> {
  for await (const chunk of file.open()) return chunk[0] === 0x1f && chunk[1] === 0x8b;
  return false;
}

async function uncompress(received: SpoolFile, plain: DiskFile): Promise<DiskFile> {
  for await (const chunk of decompressed(received.open(), "gzip")) await plain.write(chunk);
  await plain.close();
  return plain;
}

async function indexOf(archive: SpoolFile): Promise<ReadonlyMap<string, Indexed>> {
  const index = new Map<string, Indexed>();
  const reader = startTarReader((entry) => {
    put(index, entry);
    return undefined;
  });
  try {
    for await (const chunk of archive.open()) reader.write(chunk);
    reader.end();
  } catch (error) {
    if (!(error instanceof TarError)) throw error;
    throw new LayerwiseError("CONTEXT_UNREADABLE", `could not read the build context from stdin: ${error.message}`, {
      cause: error,
      hint: "pipe a tar archive, plain or gzip: tar c . | layerwise build -",
    });
  }
  return index;
}

/** A later entry for a path replaces an earlier one; directories above it that have no entry are implied. */
function put(index: Map<string, Indexed>, read: ReadEntry): void {
  if (read.path.split("/").includes("..")) {
    throw new LayerwiseError("CONTEXT_ESCAPE", `could not use the tar on stdin: ${read.path} leads out of it`, {
      hint: "name only what is below the archive's own root in it",
    });
  }
  const linked = read.kind === "hardlink" ? index.get(normal(read.target ?? "")) : undefined;
  const entry = {
    ...entryOf(read),
    ...(linked === undefined ? {} : { size: linked.entry.size, hardLink: linked.entry.path }),
  };
  if (linked !== undefined)
    index.set(linked.entry.path, { ...linked, entry: { ...linked.entry, hardLink: linked.entry.path } });
  for (let slash = read.path.indexOf("/"); slash !== -1; slash = read.path.indexOf("/", slash + 1)) {
    const above = read.path.slice(0, slash);
    if (!index.has(above)) index.set(above, { entry: directory(above), offset: 0, xattrs: undefined });
  }
  index.set(read.path, { entry, offset: linked?.offset ?? read.offset, xattrs: xattrsText(read.xattrs) });
}

function xattrsText(xattrs: ReadEntry["xattrs"]): string | undefined {
  if (xattrs === undefined || xattrs.size === 0) return undefined;
  const texts = [...xattrs].map(([name, value]) => `${name}=${Buffer.from(value).toString("hex")}`);
  return texts.sort().join(" ");
}

function capabilitiesOf(
  files: readonly ContextEntry[],
  index: ReadonlyMap<string, Indexed>,
): ReadonlyMap<string, string> {
  const found = files.map(({ path }) => [path, index.get(path)?.xattrs] as const);
  return new Map(found.filter((one): one is [string, string] => one[1] !== undefined));
}

function normal(path: string): string {
  return path.replace(/^\.?\/+/, "");
}

function directory(path: string): ContextEntry {
  return { path, kind: "directory", mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 };
}

function entryOf({ path, kind, mode, uid, gid, mtime, size, target }: ReadEntry): ContextEntry {
  const known =
    kind === "directory" || kind === "file" || kind === "symlink" ? kind : kind === "hardlink" ? "file" : "other";
  return { path, kind: known, mode, uid, gid, size, mtime, ...(known === "symlink" ? { target: target ?? "" } : {}) };
}

/** Each directory before its children, children sorted by their names' bytes. */
function treeOf(index: ReadonlyMap<string, Indexed>): ContextTree {
  const entries = [...index.values()].map(({ entry }) => entry).filter(({ path }) => path !== "");
  const root = index.get("")?.entry ?? directory("");
  const sorted = entries.map((entry) => ({ entry, parts: entry.path.split("/") })).sort(compareParts);
  return contextTree(new Map([root, ...sorted.map(({ entry }) => entry)].map((entry) => [entry.path, entry])));
}

function compareParts({ parts: one }: { parts: string[] }, { parts: other }: { parts: string[] }): number {
  for (let index = 0; index < one.length && index < other.length; index++) {
    const order = compareFileNames(one[index] as string, other[index] as string);
    if (order !== 0) return order;
  }
  return one.length - other.length;
}

async function* contentOf(archive: string, { entry, offset }: Indexed): AsyncGenerator<Uint8Array> {
  const descriptor = openSync(archive, "r");
  try {
    const buffer = Buffer.allocUnsafe(Math.min(bufferBytes, Math.max(1, entry.size)));
    for (let done = 0; done < entry.size; ) {
      const length = readSync(descriptor, buffer, 0, Math.min(buffer.length, entry.size - done), offset + done);
      if (length === 0) return;
      done += length;
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

async function digestOfContent(content: AsyncIterable<Uint8Array>, { signal }: CallOptions = {}): Promise<Digest> {
  const digester = startDigest();
  for await (const chunk of content) {
    signal?.throwIfAborted();
    digester.update(chunk);
  }
  return digester.digest();
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of content) {
    parts.push(Uint8Array.from(chunk));
    length += chunk.length;
    if (length > maxTextBytes) break;
  }
  return Buffer.concat(parts).toString("utf8");
}
