// SPDX-License-Identifier: Apache-2.0
import type { ContextEntry } from "../ports.ts";
import type { ArchiveCompression } from "../spec/archive-head.ts";
import { isUtf8Name } from "../spec/file-name.ts";
import type { ReadEntry } from "../spec/tar-reader.ts";
import { resolveUnpacked } from "./archive-path.ts";
import type { Archive, DirectoryAttributes, FileTree } from "./file-tree.ts";
import { refuseLayer } from "./refusal.ts";

/**
 * Whether archives that are compressed so may be unpacked here. Docker 20.10 copies what zstd has compressed, and later
 * ones unpack it; how bzip2 and xz are read depends on programs of the engine's machine.
 */
export function canUnpack(compression: ArchiveCompression): boolean {
  return compression === "none" || compression === "gzip";
}

/** What is unpacked, and where. */
export interface Unpacking {
  readonly archive: Archive;
  readonly entries: readonly ReadEntry[];
  /** A directory of the tree, links resolved. */
  readonly root: string;
  /** The mtime of directories that no entry is for. */
  readonly newDirectoryTime: number;
}

interface Run extends Unpacking {
  readonly tree: FileTree;
  /** Files that the archive has put into the tree, and the name under which each has its content. */
  readonly placed: Map<string, { readonly first: string; readonly entry: ReadEntry }>;
}

/**
 * Unpacks an archive into a directory, which is the root for all links and names (moby/go-archive, `Unpack`; before
 * that docker/pkg/archive). Refuses what engines of different age do differently, and what they fail at.
 */
export function unpackArchive(tree: FileTree, unpacking: Unpacking): void {
  const run: Run = { tree, ...unpacking, placed: new Map() };
  for (const [index, entry] of unpacking.entries.entries()) {
    if (entry.path !== "") unpackEntry(run, { entry, index });
    // "/" counts for some engines, "." for none.
    else if (entry.isAbsolute) refuse(run, "an entry for the root");
  }
}

function unpackEntry(run: Run, { entry, index }: { entry: ReadEntry; index: number }): void {
  const { tree, placed } = run;
  refuseOddEntry(run, entry);
  const path = placeOf(run, entry.path);
  const attributes = attributesOf(run, entry);
  const existing = tree.at(path);
  if (entry.kind === "directory") {
    // Newer engines follow the link.
    if (existing?.kind === "symlink") refuse(run, `${entry.path} is a directory, and a link before`);
    if (existing !== undefined && existing.kind !== "directory") forget(run, path);
    tree.putDirectory(path, attributes, { overwrite: true });
    return;
  }
  const linked = entry.kind === "hardlink" ? linkedFile(run, { entry, path }) : undefined;
  if (existing !== undefined) forget(run, path);
  if (entry.kind === "symlink") {
    tree.putFile(path, { ...attributes, mode: 0o777, kind: "symlink", target: entry.target as string });
  } else if (linked === undefined) {
    tree.putFile(path, { ...attributes, kind: "member", archive: run.archive, index, size: entry.size });
    placed.set(path, { first: path, entry });
  } else {
    tree.putFile(path, { ...attributes, kind: "hardlink", target: linked });
    placed.set(path, { first: linked, entry });
  }
}

function forget({ tree, placed }: Run, path: string): void {
  tree.clear(path);
  placed.delete(path);
}

/** Where an entry comes to lie; directories above it that are not there are made. */
function placeOf({ tree, root, newDirectoryTime, ...run }: Run, path: string): string {
  const names = path.split("/");
  const name = names.pop() as string;
  const above = resolveUnpacked(tree, { root, names });
  if (above.kind === "refused") return refuse(run, `${path}: ${above.why}`);
  if (above.missing.length > 0) {
    const existing = tree.at(above.path);
    // Newer engines take the bit away that it passes on.
    if (existing?.kind === "directory" && (existing.mode & 0o2000) !== 0)
      refuse(run, `${path} is below a directory with the set-group bit`);
    const made = [above.path, ...above.missing].filter((part) => part !== "").join("/");
    tree.makeDirectories(made, { owner: { uid: 0, gid: 0 }, mode: 0o755, mtime: newDirectoryTime });
    return `${made}/${name}`;
  }
  return above.path === "" ? name : `${above.path}/${name}`;
}

/** The first name of the file that a hard link names, which must be in the archive: a lower one would be copied up. */
function linkedFile(run: Run, { entry, path }: { entry: ReadEntry; path: string }): string {
  const { tree, root, placed } = run;
  const names = (entry.target ?? "").split("/");
  const name = names.pop() as string;
  const above = resolveUnpacked(tree, { root, names });
  if (above.kind === "refused" || above.missing.length > 0)
    return refuse(run, `${entry.path} links to what is not there`);
  const target = above.path === "" ? name : `${above.path}/${name}`;
  const file = placed.get(target);
  if (file === undefined || target === path) return refuse(run, `${entry.path} links to no file before it`);
  // Engines differ in whether the header of a link counts for the file.
  const isSame = (["mode", "uid", "gid", "mtime"] as const).every((field) => entry[field] === file.entry[field]);
  if (!isSame) refuse(run, `${entry.path} is not like what it links to`);
  // A change of the owner, to the same one too, takes the bits away.
  if ((entry.mode & 0o6000) !== 0) refuse(run, `${entry.path} links to a file with special mode bits`);
  return file.first;
}

const largestId = 0x7fffffff;
/** Seconds that fit 64 bits of nanoseconds; engines replace other times. */
const latestTime = 9_223_372_036;
/** Limits of Linux for a name, and well below those for a path with the engine's own directories before it. */
const longestName = 255;
const longestPath = 3000;

function refuseOddEntry(run: Run, { path, kind, target, xattrs }: ReadEntry): void {
  const names = kind === "hardlink" ? `${path}/${target ?? ""}` : path;
  if (names.split("/").includes("..")) refuse(run, `${path}: ".." in a name`);
  if (kind === undefined) refuse(run, `${path} is of an unknown type`);
  if (kind === "fifo" || kind.endsWith("device")) refuse(run, `${path} is a device or a pipe`);
  if (xattrs !== undefined) refuse(run, `${path} has extended attributes`);
  if (kind === "symlink" && !target) refuse(run, `${path} links to nothing`);
  for (const text of target === undefined ? [path] : [path, target]) {
    if (!isUtf8Name(text)) refuseLayer({ name: "name-unsupported", detail: `${run.archive.file.path}: ${text}` });
    const isLong = text.split("/").some((name) => Buffer.byteLength(name) > longestName);
    if (isLong || Buffer.byteLength(text) > longestPath) refuse(run, `${path}: a name is too long`);
  }
}

function attributesOf(run: Run, { path, mode, uid, gid, mtime }: ReadEntry): DirectoryAttributes {
  for (const id of [uid, gid]) if (id < 0 || id > largestId) refuse(run, `${path} has the owner ${id}`);
  if (mtime < 0 || mtime > latestTime) refuse(run, `${path} has the time ${mtime}`);
  return { mode, uid, gid, mtime };
}

function refuse({ archive }: Pick<Run, "archive">, why: string): never {
  return refuseArchive(archive.file, why);
}

/** Leaves a layer to the engine because of an archive. */
export function refuseArchive({ path }: ContextEntry, why: string): never {
  return refuseLayer({ name: "add-archive", detail: `${path}: ${why}` });
}
