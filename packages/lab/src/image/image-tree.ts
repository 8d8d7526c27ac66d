// SPDX-License-Identifier: Apache-2.0
import { LabError } from "../host/lab-error.ts";
import type { Image, ImageLayer } from "./image.ts";
import { cleanPath, type LayerEntry, layerEntries } from "./layer-entries.ts";
import type { TarEntry, TarType } from "./tar-entry.ts";

/** A file of an image, without its times. */
export interface TreeFile {
  readonly type: Exclude<TarType, "link">;
  /** 0 to 07777; symlinks have 0777, as everywhere on Linux. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Where a symlink points. */
  readonly target: string | undefined;
  /** `major:minor` of a device. */
  readonly device: string | undefined;
  /** The digest of a file's content; hard links are files of equal content. */
  readonly content: string | undefined;
  /** Values in hexadecimal. */
  readonly xattrs: ReadonlyMap<string, string>;
}

/** All files of an image by path; the root is the empty path. */
export type ImageTree = ReadonlyMap<string, TreeFile>;

/**
 * Merges the layers of an image into what a container sees.
 *
 * Directories that no layer has an entry for belong to root and have mode 0755, which is how engines make them. An
 * entry below something that is no directory replaces it by one, which is what engines do with it.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md#applying-changesets
 */
export async function readTree(image: Image): Promise<ImageTree> {
  return mergeLayers(image.layers);
}

/** Merges any layers, as {@link readTree}. */
export async function mergeLayers(layers: readonly ImageLayer[]): Promise<ImageTree> {
  const tree = new Map<string, TreeFile>([["", impliedDirectory]]);
  for (const layer of layers) {
    const entries: LayerEntry[] = [];
    for await (const entry of layerEntries(layer)) entries.push(entry);
    // Whiteouts speak of lower layers only, wherever they stand in theirs.
    for (const { kind, path } of entries) {
      if (kind === "opaque") removeBelow(tree, path);
      if (kind === "whiteout") remove(tree, path);
    }
    for (const entry of entries) if (entry.kind === "entry") add(tree, entry);
  }
  return tree;
}

const impliedDirectory: TreeFile = {
  type: "directory",
  mode: 0o755,
  uid: 0,
  gid: 0,
  target: undefined,
  device: undefined,
  content: undefined,
  xattrs: new Map(),
};

type Addition = Extract<LayerEntry, { kind: "entry" }>;

function add(tree: Map<string, TreeFile>, { path, entry, content }: Addition): void {
  makeParents(tree, path);
  const file = entry.type === "link" ? linked(tree, entry) : fileOf(entry, content);
  const before = tree.get(path);
  if (before?.type === "directory" && file.type !== "directory") removeBelow(tree, path);
  tree.set(path, file);
}

function fileOf(entry: TarEntry, content: string | undefined): TreeFile {
  const type = entry.type === "link" ? "file" : entry.type;
  const isDevice = type === "character" || type === "block";
  return {
    type,
    mode: type === "symlink" ? 0o777 : entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    target: type === "symlink" ? entry.linkPath : undefined,
    device: isDevice ? `${entry.device.major}:${entry.device.minor}` : undefined,
    content,
    xattrs: new Map([...entry.xattrs].map(([name, value]) => [name, value.toString("hex")])),
  };
}

/** A hard link is another name of a file; were its owner or mode another, engines would change those of the file. */
function linked(tree: ImageTree, entry: TarEntry): TreeFile {
  const target = tree.get(cleanPath(entry.linkPath));
  const why =
    target === undefined || target.type === "directory"
      ? "which is no file"
      : target.uid !== entry.uid ||
          target.gid !== entry.gid ||
          (target.type !== "symlink" && target.mode !== entry.mode)
        ? "which has another owner or mode"
        : undefined;
  if (target === undefined || why !== undefined) {
    throw new LabError(`could not merge layers: ${entry.path} is a hard link to ${entry.linkPath}, ${why}`);
  }
  return target;
}

function makeParents(tree: Map<string, TreeFile>, path: string): void {
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    const parent = path.slice(0, slash);
    if (tree.get(parent)?.type !== "directory") tree.set(parent, impliedDirectory);
  }
}

function remove(tree: Map<string, TreeFile>, path: string): void {
  removeBelow(tree, path);
  tree.delete(path);
}

function removeBelow(tree: Map<string, TreeFile>, path: string): void {
  const prefix = path === "" ? "" : `${path}/`;
  for (const other of tree.keys()) if (other !== "" && other.startsWith(prefix)) tree.delete(other);
}
