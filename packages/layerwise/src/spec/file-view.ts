// SPDX-License-Identifier: Apache-2.0
import { type LayerEntry, type LayerFiles, nameBelowRoot } from "./layer-files.ts";

/** The entry that a node of the merged tree comes from. */
export interface NodeOrigin {
  /** Index of the layer, the lowest is 0. */
  readonly layer: number;
  readonly entry: PlacedEntry;
}

/** What a path of the merged tree is. */
export type Node = DirectoryNode | FileNode | SymlinkNode;

/** A directory of the merged tree. */
export interface DirectoryNode {
  readonly kind: "directory";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  /**
   * Set if a layer has no entry for the directory itself, only for something below it, and no later one has: stores
   * differ in the attributes they give it, so nothing may be assembled below it.
   */
  readonly implied?: boolean | undefined;
  readonly origin?: NodeOrigin | undefined;
  /** Set if its children are not known, since nobody asked for them. */
  readonly isUnlisted?: boolean | undefined;
  readonly children: ReadonlyMap<string, Node>;
}

/** A regular file, or a device, whose type no instruction looks at. */
export interface FileNode {
  readonly kind: "file" | "device";
  /** Content, one character a byte, if the layers' manifests keep it. */
  readonly text?: string | undefined;
  readonly origin?: NodeOrigin | undefined;
}

/** A symbolic link of the merged tree. */
export interface SymlinkNode {
  readonly kind: "symlink";
  readonly target: string;
  readonly origin?: NodeOrigin | undefined;
}

type MutableDirectory = {
  -readonly [K in keyof DirectoryNode]: K extends "children" ? Map<string, Node> : DirectoryNode[K];
};

/** The directories of a tree whose children are wanted. With one there must be all above it, the root as "". */
export type ListedDirectories = Pick<ReadonlySet<string>, "has">;

const all: ListedDirectories = { has: () => true };

/**
 * Merges layers, lowest first, into one tree: within a layer opaque directories count first, then whiteouts, then
 * entries. An entry below a path that is no directory replaces it, as stores do.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md#applying-changesets
 *
 * @param listed directories whose children are wanted, all by default; the others have `isUnlisted` set. What is told
 * of a path does not depend on it
 */
export function mergeLayers(layers: readonly LayerFiles[], listed: ListedDirectories = all): DirectoryNode {
  const root: MutableDirectory = { kind: "directory", mode: 0o755, uid: 0, gid: 0, mtime: 0, children: new Map() };
  for (const [index, layer] of layers.entries()) mergeLayer(root, { layer, index, listed });
  return root;
}

interface Merging {
  readonly layer: LayerFiles;
  readonly index: number;
  readonly listed: ListedDirectories;
}

function mergeLayer(root: MutableDirectory, { layer, index, listed }: Merging): void {
  const { directories, texts } = layer;
  const whole = directories.filter(({ path }) => listed.has(path)).flatMap(({ entries }) => entries);
  if (root.children.size > 0) markUndeclared(root, { directories, whole, listed });
  for (const entry of whole) if (entry.kind === "opaque") clear(root, entry.path);
  for (const entry of whole) if (entry.kind === "whiteout") remove(root, entry.path);
  for (const directory of directories) {
    if (!directory.hasPlaced) continue;
    const { path } = directory;
    const node = madeDirectory(root, { path, listed });
    // Of what is not listed only the way to it counts.
    if (!listed.has(path)) continue;
    for (const entry of directory.entries) {
      if (!isPlaced(entry)) continue;
      place(node, { above: path, listed, text: texts.get(entry.path), origin: { layer: index, entry } });
    }
  }
}

/**
 * Marks directories of lower layers that a layer has something below, and no entry for themselves: some stores make
 * them again with attributes of their own, others keep those that they had.
 */
function markUndeclared(
  root: MutableDirectory,
  { directories, whole, listed }: Pick<LayerFiles, "directories"> & { whole: readonly LayerEntry[] } & Listed,
): void {
  const declared = new Set(whole.filter(({ kind }) => kind === "directory").map(({ path }) => partsOf(path).join("/")));
  for (const { path, isOpaqueOnly } of directories) {
    // An opaque directory stands for itself, and not for the directory that it is in.
    if (isOpaqueOnly && listed.has(path)) continue;
    markAbove(root, { path, declared, listed });
  }
  for (const { kind, path } of whole) if (kind === "opaque") markAbove(root, { path, declared, listed });
}

interface Listed {
  readonly listed: ListedDirectories;
}

function markAbove(
  root: MutableDirectory,
  { path, declared, listed }: { path: string; declared: ReadonlySet<string> } & Listed,
): void {
  let directory = root;
  let at = "";
  for (const part of partsOf(path)) {
    if (!listed.has(at)) return;
    const child = directory.children.get(part);
    if (child?.kind !== "directory") return;
    directory = child as MutableDirectory;
    at = below(at, part);
    if (!declared.has(at)) directory.implied = true;
  }
}

/** The node at a path relative to the root, without following any link. */
export function nodeAt(root: DirectoryNode, path: string): Node | undefined {
  let node: Node = root;
  for (const name of partsOf(path)) {
    if (node.kind !== "directory") return undefined;
    const child = node.children.get(name);
    if (child === undefined) return undefined;
    node = child;
  }
  return node;
}

/** The names a path is made of. */
export function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** The directory at a path, made if it is not there, like those on the way; or the last on the way that is listed. */
function madeDirectory(root: MutableDirectory, { path, listed }: { path: string } & Listed): MutableDirectory {
  let directory = root;
  let at = "";
  for (const part of partsOf(path)) {
    if (!listed.has(at)) return directory;
    at = below(at, part);
    const child = directory.children.get(part);
    if (child?.kind === "directory") {
      directory = child as MutableDirectory;
      continue;
    }
    const attributes = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
    const created: MutableDirectory = { kind: "directory", ...attributes, implied: true, ...childrenOf(at, listed) };
    directory.children.set(part, created);
    directory = created;
  }
  return directory;
}

function childrenOf(path: string, listed: ListedDirectories): Pick<MutableDirectory, "children" | "isUnlisted"> {
  return listed.has(path) ? { children: new Map() } : { children: new Map(), isUnlisted: true };
}

function below(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** An entry that puts something into the tree. */
export type PlacedEntry = Exclude<LayerEntry, { kind: "opaque" | "whiteout" }>;

function isPlaced(entry: LayerEntry): entry is PlacedEntry {
  return entry.kind !== "opaque" && entry.kind !== "whiteout";
}

interface Placing extends Listed {
  readonly above: string;
  readonly origin: NodeOrigin;
  readonly text: string | undefined;
}

function place(directory: MutableDirectory, { above, origin, text, listed }: Placing): void {
  const { entry } = origin;
  const name = nameBelowRoot(entry.path);
  if (name === undefined) return;
  if (entry.kind === "symlink") {
    directory.children.set(name, { kind: "symlink", target: entry.target, origin });
    return;
  }
  if (entry.kind !== "directory") {
    directory.children.set(name, { kind: entry.kind, text, origin });
    return;
  }
  const { mode, uid, gid, mtime } = entry;
  const existing = directory.children.get(name);
  if (existing?.kind === "directory") Object.assign(existing, { mode, uid, gid, mtime, implied: undefined, origin });
  else {
    const children = childrenOf(below(above, name), listed);
    directory.children.set(name, { kind: "directory", mode, uid, gid, mtime, origin, ...children });
  }
}

function clear(root: MutableDirectory, path: string): void {
  const node = nodeAt(root, path);
  if (node?.kind === "directory") (node as MutableDirectory).children.clear();
}

function remove(root: MutableDirectory, path: string): void {
  const slash = path.lastIndexOf("/");
  const parent = nodeAt(root, slash === -1 ? "" : path.slice(0, slash));
  if (parent?.kind === "directory") (parent as MutableDirectory).children.delete(path.slice(slash + 1));
}
