// SPDX-License-Identifier: Apache-2.0
import type { LayerEntry, LayerFiles } from "./layer-files.ts";

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

/**
 * Merges layers, lowest first, into one tree: within a layer opaque directories count first, then whiteouts, then
 * entries. An entry below a path that is no directory replaces it, as stores do.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md#applying-changesets
 */
export function mergeLayers(layers: readonly LayerFiles[]): DirectoryNode {
  const root: MutableDirectory = { kind: "directory", mode: 0o755, uid: 0, gid: 0, mtime: 0, children: new Map() };
  for (const [index, layer] of layers.entries()) {
    markUndeclared(root, layer);
    for (const entry of layer.entries) if (entry.kind === "opaque") clear(root, entry.path);
    for (const entry of layer.entries) if (entry.kind === "whiteout") remove(root, entry.path);
    putAll(root, { ...layer, layer: index });
  }
  return root;
}

function declaredDirectories({ entries }: LayerFiles): ReadonlySet<string> {
  const directories = entries.filter(({ kind }) => kind === "directory");
  return new Set(directories.map(({ path }) => partsOf(path).join("/")));
}

/**
 * Marks directories of lower layers that a layer has something below, and no entry for themselves: some stores make
 * them again with attributes of their own, others keep those that they had.
 */
function markUndeclared(root: MutableDirectory, layer: LayerFiles): void {
  if (root.children.size === 0) return;
  const declared = declaredDirectories(layer);
  const done = new Set<string>();
  for (const { kind, path } of layer.entries) {
    const above = kind === "opaque" ? path : path.slice(0, Math.max(path.lastIndexOf("/"), 0));
    if (done.has(above)) continue;
    done.add(above);
    markAbove(root, { path: above, declared });
  }
}

function markAbove(root: MutableDirectory, { path, declared }: { path: string; declared: ReadonlySet<string> }): void {
  const parts = partsOf(path);
  let directory = root;
  for (const [index, part] of parts.entries()) {
    const child = directory.children.get(part);
    if (child?.kind !== "directory") return;
    directory = child as MutableDirectory;
    if (!declared.has(parts.slice(0, index + 1).join("/"))) directory.implied = true;
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

/** Entries come directory by directory, so the last one is at hand; what was put since then is only its child. */
function putAll(
  root: MutableDirectory,
  { entries, texts, layer }: Pick<LayerFiles, "entries" | "texts"> & { layer: number },
): void {
  let last: { readonly path: string; readonly directory: MutableDirectory } = { path: "", directory: root };
  for (const entry of entries) {
    if (entry.kind === "opaque" || entry.kind === "whiteout") continue;
    const { above, name } = splitPath(entry.path);
    if (name === "") continue;
    if (above !== last.path) last = { path: above, directory: madeDirectory(root, above) };
    place(last.directory, name, { origin: { layer, entry }, text: texts.get(entry.path) });
  }
}

/** A path's last name and what is above it; no name for the root. */
function splitPath(path: string): { readonly above: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  if (name !== "" && name !== "." && name !== "..") return { above: path.slice(0, Math.max(slash, 0)), name };
  const parts = namesBelowRoot(path);
  return { name: parts.pop() ?? "", above: parts.join("/") };
}

/** Archives are extracted below a root that ".." does not leave. */
function namesBelowRoot(path: string): string[] {
  return partsOf(path).filter((part) => part !== "..");
}

/** The directory at a path, made if it is not there, like those on the way. */
function madeDirectory(root: MutableDirectory, path: string): MutableDirectory {
  let directory = root;
  for (const part of namesBelowRoot(path)) {
    const child = directory.children.get(part);
    if (child?.kind === "directory") {
      directory = child as MutableDirectory;
      continue;
    }
    const created: MutableDirectory = {
      kind: "directory",
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtime: 0,
      implied: true,
      children: new Map(),
    };
    directory.children.set(part, created);
    directory = created;
  }
  return directory;
}

/** An entry that puts something into the tree. */
export type PlacedEntry = Exclude<LayerEntry, { kind: "opaque" | "whiteout" }>;

function place(
  directory: MutableDirectory,
  name: string,
  { origin, text }: { origin: NodeOrigin; text: string | undefined },
): void {
  const { entry } = origin;
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
  else directory.children.set(name, { kind: "directory", mode, uid, gid, mtime, origin, children: new Map() });
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
