// SPDX-License-Identifier: Apache-2.0
import type { IgnoreMatcher, IgnoreWalk } from "../dockerfile/ignore.ts";
import type { ContextEntry, ContextTree } from "../ports.ts";

/** The files of the build context that the ignore file leaves. */
export interface ContextFiles {
  /** Undefined if the path is not there or is ignored; the context itself is the empty path. */
  get(path: string): ContextEntry | undefined;
  /** What a directory holds, sorted by the names' bytes. */
  children(directory: string): readonly ContextEntry[];
  /** Whether older engines leave out what newer ones have in a directory. */
  isDisputedIn(directory: string): boolean;
  /** Whether older engines say otherwise of a path itself. */
  differs(path: string): boolean;
  /** All of which they do. */
  readonly differing: readonly ContextEntry[];
  /** What older engines have and newer ones do not: such paths, and directories that are empty then. */
  readonly restored: readonly ContextEntry[];
}

/** Applies an ignore file to listings of one context or of several revisions of it. */
export type ContextFilter = (tree: ContextTree) => ContextFiles;

/**
 * Makes a filter from an ignore file. An ignored directory stays if something in it does not match, as BuildKit sends a
 * file's parents with it (fsutil, filter.go). A directory whose list is one that it has seen before is not looked at
 * again.
 */
export function ignoring(matcher: IgnoreMatcher): ContextFilter {
  const walk = matcher.startWalk();
  const seen = new WeakMap<readonly ContextEntry[], Filtered>();

  return (tree) => {
    const kept = new Map<string, readonly ContextEntry[]>();
    const ignored = new Set<string>();
    const differing: ContextEntry[] = [];
    const restored: ContextEntry[] = [];

    /** What is left of a directory. */
    function visit(directory: string): readonly ContextEntry[] {
      const all = tree.children(directory);
      let filtered = seen.get(all);
      if (filtered === undefined || filtered.directory !== directory) {
        filtered = filter(walk, { directory, all });
        seen.set(all, filtered);
      }
      for (const path of filtered.ignored) ignored.add(path);
      for (const entry of filtered.differing) differing.push(entry);
      for (const entry of filtered.restored) restored.push(entry);
      let holdsMore = false;
      for (const path of filtered.directories) {
        const hasContent = visit(path).length > 0;
        if (hasContent && ignored.delete(path)) holdsMore = true;
      }
      const left = holdsMore ? all.filter(({ path }) => !ignored.has(path)) : filtered.left;
      kept.set(directory, left);
      return left;
    }

    visit("");
    const different = new Set(differing.map(({ path }) => path));
    return {
      get: (path) => (ignored.has(path) ? undefined : tree.get(path)),
      children: (directory) => kept.get(directory) ?? [],
      isDisputedIn: (directory) => walk.isDisputed(directory),
      differs: (path) => different.has(path),
      differing,
      restored: restored.filter(({ path }) => ignored.has(path)),
    };
  };
}

/** What an ignore file says of the entries of one directory. */
interface Filtered {
  readonly directory: string;
  /** Those that are not ignored themselves. */
  readonly left: readonly ContextEntry[];
  readonly ignored: readonly string[];
  readonly differing: readonly ContextEntry[];
  /** Ignored ones that differ, and directories that the text of an exception begins with. */
  readonly restored: readonly ContextEntry[];
  /** All directories, ignored or not. */
  readonly directories: readonly string[];
}

function filter(walk: IgnoreWalk, { directory, all }: { directory: string; all: readonly ContextEntry[] }): Filtered {
  const left: ContextEntry[] = [];
  const ignored: string[] = [];
  const differing: ContextEntry[] = [];
  const restored: ContextEntry[] = [];
  const directories: string[] = [];
  for (const entry of all) {
    const isDirectory = entry.kind === "directory";
    if (isDirectory) directories.push(entry.path);
    const differs = walk.differs(entry.path, isDirectory);
    if (differs) differing.push(entry);
    if (!walk.excludes(entry.path, isDirectory)) {
      left.push(entry);
      continue;
    }
    ignored.push(entry.path);
    if (differs || (isDirectory && walk.isNamed(entry.path))) restored.push(entry);
  }
  return { directory, left, ignored, differing, restored, directories };
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
