// SPDX-License-Identifier: Apache-2.0
import type { ContextEntry } from "../ports.ts";
import type { ArchiveCompression } from "../spec/archive-head.ts";
import type { Digest } from "../spec/digest.ts";
import type { DirectoryNode, Node } from "../spec/file-view.ts";
import { inLayerOrder } from "./layer-order.ts";
import { refuseLayer } from "./refusal.ts";
import { resolveInTree } from "./resolve-in-tree.ts";

/** Who owns a file. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What directories get that no source describes (fsutil/copy, `MkdirAll`). */
export const defaultMode = 0o755;

/** What a directory is created or overwritten with. */
export interface DirectoryAttributes extends Owner {
  readonly mode: number;
  readonly mtime: number;
}

/** What a directory on the way to a destination is created with. */
export interface NewDirectory {
  /** Undefined: whoever creates it, which is root, and the group as Linux chooses it. */
  readonly owner: Owner | undefined;
  readonly mode: number;
  readonly mtime: number;
}

/** An archive in the build context. */
export interface Archive {
  readonly file: ContextEntry;
  /** Of the file as it is, compressed. */
  readonly digest: Digest;
  readonly compression: ArchiveCompression;
}

/** One entry of a layer to be made, in full. */
export type LayerFile = DirectoryAttributes & {
  /** Relative to the root, without a leading slash. */
  readonly path: string;
} & (
    | { readonly kind: "directory" }
    | { readonly kind: "symlink"; readonly target: string }
    /** Content from the build context. */
    | { readonly kind: "file"; readonly from: ContextEntry; readonly digest: Digest }
    /** A file whose content the Dockerfile holds. */
    | { readonly kind: "document"; readonly text: string }
    /** Content from an archive of the build context. */
    | { readonly kind: "member"; readonly archive: Archive; readonly index: number; readonly size: number }
    /** Shares the content of another file of the same layer. */
    | { readonly kind: "hardlink"; readonly target: string }
  );

/** A file that is put into the tree. */
export type NewFile = DistributiveOmit<Exclude<LayerFile, { kind: "directory" }>, "path">;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * The merged file tree of the layers below, which instructions change one after the other. What they do to paths
 * follows Linux: the same operations succeed, and those that fail are refused, so that the engine reports them.
 * Every operation throws {@link UnlistedError} for a path that the view does not tell about.
 */
export interface FileTree {
  /** Starts a layer; what follows belongs to it. */
  startLayer(): void;
  /**
   * The entries of the layer: what changed, and every directory above it with its true attributes; in an order in which
   * they can be written.
   */
  endLayer(): LayerFile[];
  /** Resolves all links of a path below the root, the last one too; names that do not exist stay as they are. */
  resolve(path: string): string;
  /** What is at a resolved path. */
  at(path: string): Node | undefined;
  /** Creates a directory and those above it that are missing; existing ones stay as they are. */
  makeDirectories(path: string, wanted: NewDirectory): void;
  /** Makes a directory of a copied tree; one that exists gets the attributes if `overwrite` is set. */
  putDirectory(path: string, attributes: DirectoryAttributes, options: { overwrite: boolean }): void;
  /**
   * Removes what is at a path, a directory with all in it, for something else to take its place in the same layer. What
   * an earlier instruction of the layer put there must not be in a directory.
   */
  clear(path: string): void;
  /** Puts a file or link in the place of whatever file was there. */
  putFile(path: string, file: NewFile): void;
  /** The content of a file that the layers below keep as text, links followed; undefined if it is not kept. */
  text(path: string): string | undefined;
}

/** A path is asked for that leads through a directory whose children the view does not list. */
export class UnlistedError extends Error {
  /** What was asked for. */
  readonly path: string;

  constructor(path: string) {
    super(`what is at /${path} is not listed`);
    this.path = path;
  }
}

interface OpenDirectory extends DirectoryAttributes {
  kind: "directory";
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  implied?: boolean | undefined;
  isUnlisted?: boolean | undefined;
  children: Map<string, OpenNode>;
}
type OpenNode = OpenDirectory | Exclude<Node, DirectoryNode>;

/** Opens a tree for changes. The view is not changed: directories are copied when they are first written to. */
export function openFileTree(view: DirectoryNode): FileTree {
  const root = view as OpenDirectory as OpenDirectory;
  const owned = new Set<OpenDirectory>();
  const current: OpenDirectory = copyOf(root);
  owned.add(current);
  let changed = new Map<string, LayerFile>();
  /** Directories of lower layers that are no more. */
  let cleared = new Set<string>();

  function lookup(path: string): OpenNode | undefined {
    let node: OpenNode = current;
    for (const name of names(path)) {
      if (node.kind !== "directory") return undefined;
      if (node.isUnlisted) throw new UnlistedError(names(path).join("/"));
      const child = node.children.get(name);
      if (child === undefined) return undefined;
      node = child;
    }
    return node;
  }

  /** The directory at a path, as a copy that may be written to, and all above it too. */
  function writable(path: string): OpenDirectory {
    let directory = current;
    for (const name of names(path)) {
      if (directory.isUnlisted) throw new UnlistedError(names(path).join("/"));
      const child = directory.children.get(name);
      if (child === undefined) return refuse(`${path} is not there`);
      if (child.kind !== "directory") return refuse(`${path} is no directory`);
      if (child.implied) refuseLayer({ name: "destination-unknown", detail: `/${path} has no entry of its own` });
      const own = owned.has(child) ? child : copyOf(child);
      owned.add(own);
      directory.children.set(name, own);
      directory = own;
    }
    return directory;
  }

  function noteDirectory(path: string, { mode, uid, gid, mtime }: DirectoryAttributes): void {
    changed.set(path, { kind: "directory", path, mode, uid, gid, mtime });
  }

  function create(path: string, attributes: DirectoryAttributes): void {
    const [parent, name] = split(path);
    refuseWhiteout(path);
    if (cleared.has(path)) refuse(`/${path} is another directory before`);
    const directory: OpenDirectory = { kind: "directory", ...plain(attributes), children: new Map() };
    owned.add(directory);
    writable(parent).children.set(name, directory);
    noteDirectory(path, attributes);
  }

  function makeDirectories(path: string, wanted: NewDirectory): void {
    const parts = names(path);
    for (let length = 1; length <= parts.length; length++) {
      const part = parts.slice(0, length).join("/");
      const node = lookup(part);
      if (node === undefined) create(part, inherited(lookup(split(part)[0]) as OpenDirectory, wanted));
      else if (node.kind !== "directory") refuse(`/${part} is no directory`);
    }
  }

  function putDirectory(path: string, attributes: DirectoryAttributes, { overwrite }: { overwrite: boolean }): void {
    const node = lookup(path);
    if (node === undefined) {
      create(path, attributes);
      return;
    }
    if (node.kind !== "directory") refuse(`/${path} is no directory`);
    if (!overwrite) return;
    Object.assign(writable(path), plain(attributes));
    noteDirectory(path, attributes);
  }

  function putFile(path: string, file: NewFile): void {
    const [parent, name] = split(path);
    refuseWhiteout(path);
    const node = lookup(path);
    if (node?.kind === "directory") refuse(`/${path} is a directory`);
    if (changed.has(path)) refuseIfLinked(path);
    const kept: OpenNode = file.kind === "symlink" ? { kind: "symlink", target: file.target } : { kind: "file" };
    writable(parent).children.set(name, kept);
    changed.set(path, { ...file, path } as LayerFile);
  }

  function clear(path: string): void {
    const [parent, name] = split(path);
    const node = lookup(path);
    if (node?.kind === "directory") {
      for (const other of changed.keys()) {
        if (other === path || other.startsWith(`${path}/`)) refuse(`/${path} changes twice in the same layer`);
      }
      cleared.add(path);
    } else if (changed.has(path)) refuseIfLinked(path);
    writable(parent).children.delete(name);
    changed.delete(path);
  }

  /** A hard link of this layer would get the new content. */
  function refuseIfLinked(path: string): void {
    for (const file of changed.values()) {
      if (file.kind === "hardlink" && file.target === path) refuse(`/${path} has a hard link in the same layer`);
    }
  }

  function endLayer(): LayerFile[] {
    const files = new Map(changed);
    for (const path of changed.keys()) {
      for (let [above] = split(path); above !== "" && !files.has(above); [above] = split(above)) {
        const { mode, uid, gid, mtime } = writable(above);
        files.set(above, { kind: "directory", path: above, mode, uid, gid, mtime });
      }
    }
    return inLayerOrder([...files.values()]);
  }

  return {
    startLayer: () => {
      changed = new Map();
      cleared = new Set();
    },
    endLayer,
    resolve: (path) => resolveInTree(path, lookup),
    at: (path) => lookup(path) as Node | undefined,
    makeDirectories,
    putDirectory,
    clear,
    putFile,
    text: (path) => {
      const node = lookup(resolveInTree(path, lookup));
      return node?.kind === "file" ? node.text : undefined;
    },
  };
}

/** Below a directory with the set-group bit a new one gets its group and the bit (inode(7), "The set-group-ID bit"). */
function inherited(above: DirectoryAttributes, { owner, mode, mtime }: NewDirectory): DirectoryAttributes {
  const setGroup = above.mode & 0o2000;
  return { ...(owner ?? { uid: 0, gid: setGroup === 0 ? 0 : above.gid }), mode: mode | setGroup, mtime };
}

function refuseWhiteout(path: string): void {
  if (split(path)[1].startsWith(".wh."))
    refuseLayer({ name: "name-unsupported", detail: `/${path} reads as a deletion` });
}

function refuse(detail: string): never {
  return refuseLayer({ name: "destination-conflict", detail });
}

function copyOf(directory: OpenDirectory): OpenDirectory {
  return { ...directory, children: new Map(directory.children) };
}

function plain({ mode, uid, gid, mtime }: DirectoryAttributes): DirectoryAttributes {
  return { mode, uid, gid, mtime };
}

function names(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function split(path: string): [parent: string, name: string] {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? ["", path] : [path.slice(0, slash), path.slice(slash + 1)];
}
