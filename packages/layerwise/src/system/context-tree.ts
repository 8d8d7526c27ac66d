// SPDX-License-Identifier: Apache-2.0
import type { ContextEntry, ContextTree } from "../ports.ts";

/**
 * Makes a tree from all entries of a context by their paths.
 *
 * @param entries each directory before its children, children sorted by their names' bytes
 */
export function contextTree(entries: ReadonlyMap<string, ContextEntry>): ContextTree {
  const lists = new Map<string, ContextEntry[]>();
  for (const entry of entries.values()) {
    if (entry.path === "") continue;
    const parent = entry.path.slice(0, Math.max(entry.path.lastIndexOf("/"), 0));
    const list = lists.get(parent);
    if (list === undefined) lists.set(parent, [entry]);
    else list.push(entry);
  }
  return {
    size: entries.size,
    get: (path) => entries.get(path),
    children: (directory) => lists.get(directory) ?? none,
  };
}

const none: readonly ContextEntry[] = [];

/** All entries, each directory before its children. */
export function* entriesIn(tree: ContextTree, directory = ""): Generator<ContextEntry> {
  const top = directory === "" ? tree.get("") : undefined;
  if (top !== undefined) yield top;
  for (const entry of tree.children(directory)) {
    yield entry;
    if (entry.kind === "directory") yield* entriesIn(tree, entry.path);
  }
}
