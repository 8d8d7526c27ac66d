// SPDX-License-Identifier: Apache-2.0
import { isLayerwiseError } from "../error.ts";
import type { ContextEntry } from "../ports.ts";
import { compareFileNames } from "../spec/file-name.ts";
import { type DirectoryNode, type Node, nodeAt } from "../spec/file-view.ts";
import { groupByDirectory, type LayerEntry } from "../spec/layer-files.ts";
import { type RecordedSource, sourcePath } from "../spec/transplant-document.ts";
import type { ContextFiles } from "./context-files.ts";
import { type SelectedSource, selectSource } from "./copy-selection.ts";
import type { CopyFromStep } from "./transplant.ts";

/** Selects what a COPY --from takes from the files of its source; undefined if that is not certain. */
export function selectInLayers(
  view: DirectoryNode,
  { sources, at }: CopyFromStep,
): readonly SelectedSource[] | undefined {
  const files = filesOf(view);
  const selected: SelectedSource[] = [];
  try {
    for (const word of sources) {
      const result = selectSource(files, { word, at });
      if (result.kind === "unlisted") return undefined;
      selected.push(...result.sources);
    }
    return selected;
  } catch (error) {
    // Devices, and what is not there for us: the engine has copied something.
    if (isLayerwiseError(error) && error.code.startsWith("CONTEXT_")) return undefined;
    throw error;
  }
}

/** A selection in the form of a document. */
export function recordSource({ word, name, entry, below }: SelectedSource): RecordedSource {
  const entries = [
    layerEntry(sourcePath, entry),
    ...below.map(({ path, entry: one }) => layerEntry(`${sourcePath}/${path}`, one)),
  ];
  return { word, name, directories: groupByDirectory(entries) };
}

/** The selection that a document tells of; undefined if it tells of none. */
export function openSource({ word, name, directories }: RecordedSource): SelectedSource | undefined {
  const entries = directories.flatMap((directory) => directory.entries.map(contextEntry));
  const [entry, ...below] = entries;
  if (entry?.path !== sourcePath || entries.some(({ kind }) => kind === "other")) return undefined;
  const prefix = `${sourcePath}/`;
  if (below.some(({ path }) => !path.startsWith(prefix))) return undefined;
  return {
    word,
    name,
    entry,
    below: below.map((one) => ({ path: one.path.slice(prefix.length), entry: one })),
    disputed: [],
    leftOut: [],
  };
}

/** The files of an image as those of a build context that nothing is ignored in. */
function filesOf(view: DirectoryNode): ContextFiles {
  const at = (path: string) => {
    const node = nodeAt(view, path);
    return node && nodeEntry(path, node);
  };
  return {
    get: at,
    children: (directory) => {
      const node = nodeAt(view, directory);
      if (node?.kind !== "directory") return [];
      const names = [...node.children.keys()].sort(compareFileNames);
      const prefix = directory === "" ? "" : `${directory}/`;
      return names.map((name) => nodeEntry(`${prefix}${name}`, node.children.get(name) as Node));
    },
    isDisputedIn: () => false,
    differs: () => false,
    differing: [],
    restored: [],
  };
}

function nodeEntry(path: string, node: Node): ContextEntry {
  if (node.kind === "directory") {
    const { mode, uid, gid, mtime } = node;
    return { path, kind: "directory", mode, uid, gid, mtime, size: 0 };
  }
  return contextEntry({ ...(node.origin as NonNullable<Node["origin"]>).entry, path });
}

function contextEntry(entry: LayerEntry): ContextEntry {
  const { path } = entry;
  switch (entry.kind) {
    case "whiteout":
    case "opaque":
      return { path, kind: "other", mode: 0, uid: 0, gid: 0, mtime: 0, size: 0 };
    case "symlink":
      return {
        path,
        kind: "symlink",
        mode: 0o777,
        uid: entry.uid,
        gid: entry.gid,
        mtime: 0,
        size: 0,
        target: entry.target,
      };
    default: {
      const { mode, uid, gid, mtime } = entry;
      return { path, kind: entry.kind === "device" ? "other" : entry.kind, mode, uid, gid, mtime, size: 0 };
    }
  }
}

function layerEntry(path: string, { kind, mode, uid, gid, mtime, target = "" }: ContextEntry): LayerEntry {
  if (kind === "symlink") return { kind, path, target, uid, gid };
  return { kind: kind === "other" ? "device" : kind, path, mode, uid, gid, mtime };
}
