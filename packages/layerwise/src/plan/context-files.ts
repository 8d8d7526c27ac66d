// SPDX-License-Identifier: Apache-2.0
import type { IgnoreMatcher } from "../dockerfile/ignore.ts";
import type { ContextEntry, ContextTree } from "../ports.ts";

/** The files of the build context that the ignore file leaves. */
export interface ContextFiles {
  /** Undefined if the path is not there or is ignored; the context itself is the empty path. */
  get(path: string): ContextEntry | undefined;
  /** What a directory holds, sorted by the names' bytes. */
  children(directory: string): readonly ContextEntry[];
  /** Whether older engines leave a path out that newer ones have. */
  isDisputed(path: string): boolean;
  /** A directory below another that older engines have, empty, and newer ones do not. */
  emptiedBelow(directory: string): string | undefined;
}

/**
 * Applies an ignore file. An ignored directory stays if something in it does not match, as BuildKit sends a file's
 * parents with it (fsutil, filter.go).
 */
export function withoutIgnored(tree: ContextTree, matcher: IgnoreMatcher): ContextFiles {
  const kept = new Map<string, ContextEntry>();
  const children = new Map<string, ContextEntry[]>();
  const walk = matcher.startWalk();
  const named: string[] = [];
  for (const entry of tree.values()) {
    const isDirectory = entry.kind === "directory";
    if (entry.path === "" || !walk.excludes(entry.path, isDirectory)) keep(entry);
    else if (isDirectory && walk.isNamed(entry.path)) named.push(entry.path);
  }

  function keep(entry: ContextEntry): void {
    if (kept.has(entry.path)) return;
    kept.set(entry.path, entry);
    if (entry.path === "") return;
    const parent = parentOf(entry.path);
    const above = tree.get(parent);
    if (above !== undefined) keep(above);
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [entry]);
    else siblings.push(entry);
  }

  return {
    get: (path) => kept.get(path),
    children: (directory) => children.get(directory) ?? [],
    isDisputed: (path) => path !== "" && walk.isDisputed(parentOf(path)),
    emptiedBelow: (directory) =>
      named.find((path) => !kept.has(path) && (directory === "" || path.startsWith(`${directory}/`))),
  };
}

/** The directory that a path is in; the context itself for a path of one name. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
