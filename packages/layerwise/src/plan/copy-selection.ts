// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { createIgnoreMatcher, type IgnoreWalk } from "../dockerfile/ignore.ts";
import { matchPath } from "../dockerfile/path-match.ts";
import { LayerwiseError, type SourceRange } from "../error.ts";
import type { ContextEntry } from "../ports.ts";
import { type ContextFiles, nameOf, parentOf } from "./context-files.ts";
import { rootPath } from "./root-path.ts";

/** One file or directory that a source word of COPY or ADD names. */
export interface SelectedSource {
  /** The word that it was found by. */
  readonly word: string;
  /** The name it has in a directory that it is put into. */
  readonly name: string;
  /** What it is after following links. */
  readonly entry: ContextEntry;
  /** What older engines leave out or have in addition, because they read the ignore file differently. */
  readonly disputed: readonly string[];
  /** For a directory, all that is below it, each directory before its content; paths are relative to it. */
  readonly below: readonly { readonly path: string; readonly entry: ContextEntry }[];
  /** Directories below it that are left out with all that is in them; engines look into them nevertheless. */
  readonly leftOut: readonly string[];
}

/** A selection, or the directory whose content has not been listed yet. */
export type SelectionResult =
  | { readonly kind: "selected"; readonly sources: readonly SelectedSource[] }
  | { readonly kind: "unlisted"; readonly directory: string };

/** Most links that engines follow for one path (containerd/continuity, `fs.RootPath`). */
const maxLinks = 255;

/** Most that the kernel follows for one path: https://man7.org/linux/man-pages/man7/path_resolution.7.html */
const maxKernelLinks = 40;

class Unlisted {
  readonly directory: string;
  constructor(directory: string) {
    this.directory = directory;
  }
}

/**
 * Selects what one source word means: wildcards component by component, links followed inside the context, a
 * directory with everything in it (fsutil/copy, `ResolveWildcards` and `Copy`).
 *
 * @param isPattern false for the source of a mount, which has no wildcards
 * @param excludes patterns of what is left out below a directory, without exceptions
 * @throws CONTEXT_NOT_FOUND if a path without wildcards, or the directory before the first wildcard, is not there;
 *   CONTEXT_ESCAPE if the word leads out of the context; CONTEXT_UNREADABLE, CONTEXT_UNSUPPORTED
 */
export function selectSource(
  files: ContextFiles,
  { word, at, isPattern = true, excludes = [] }: Selecting,
): SelectionResult {
  try {
    const matches = isPattern ? matchesOf(files, { word, at }) : [posix.resolve("/", word).slice(1)];
    const sources = matches.map((path) => selected(files, { path, word, at, excludes }));
    const isWild = isPattern && hasWildcard(posix.resolve("/", word));
    return { kind: "selected", sources: isWild ? withOlderMatches(files, { word, sources }) : sources };
  } catch (error) {
    if (error instanceof Unlisted) return { kind: "unlisted", directory: error.directory };
    throw error;
  }
}

interface Wanted {
  readonly word: string;
  readonly at: SourceRange;
}

interface Selecting extends Wanted {
  readonly isPattern?: boolean;
  readonly excludes?: readonly string[] | undefined;
}

function matchesOf(files: ContextFiles, wanted: Wanted): readonly string[] {
  const parts = posix.resolve("/", wanted.word).slice(1).split("/");
  const firstWild = parts.findIndex(hasWildcard);
  if (firstWild === -1) return [parts.join("/")];
  const start = parts.slice(0, firstWild).join("/");
  const directory = follow(files, { ...wanted, path: start });
  if (directory === undefined) throw notFound(wanted);
  const pattern = parts.slice(firstWild).join("/");
  const found: string[] = [];
  collectMatches(files, { directory, relative: "", pattern, found });
  return found;
}

/** A match is not searched further: what is in a matching directory comes with it. */
function collectMatches(
  files: ContextFiles,
  { directory, relative, pattern, found }: { directory: string; relative: string; pattern: string; found: string[] },
): void {
  for (const entry of childrenOf(files, directory)) {
    const path = relative === "" ? nameOf(entry.path) : `${relative}/${nameOf(entry.path)}`;
    if (matchPath(pattern, path)) found.push(entry.path);
    else if (entry.kind === "directory" && path.split("/").length < pattern.split("/").length) {
      collectMatches(files, { directory: entry.path, relative: path, pattern, found });
    }
  }
}

function selected(
  files: ContextFiles,
  { path, word, at, excludes }: Wanted & { path: string; excludes: readonly string[] },
): SelectedSource {
  const resolved = withoutLinks(files, { path, word, at });
  const entry = entryAt(files, { path: resolved, word, at });
  if (entry === undefined) {
    const restored = files.restored.find((one) => one.path === resolved || isBelow(resolved, one));
    if (restored === undefined) throw notFound({ word, at });
    return olderSource(word, restored);
  }
  refuseSpecial(entry, at);
  const walk: Walk = {
    files,
    at,
    start: entry.path === "" ? 0 : entry.path.length + 1,
    // Paths are matched from the source on (fsutil/copy, `copy`), so a source itself is never left out.
    excluding: excludes.length === 0 ? undefined : createIgnoreMatcher(excludes).startWalk(),
    below: [],
    leftOut: [],
    disputed: [],
  };
  const isDisputed = entry.path !== "" && (files.isDisputedIn(parentOf(entry.path)) || files.differs(entry.path));
  if (isDisputed) walk.disputed.push(entry.path);
  if (entry.kind === "directory") {
    collectBelow(walk, entry.path);
    for (const one of files.restored) if (isBelow(one.path, entry)) walk.disputed.push(one.path);
  }
  const { below, leftOut, disputed } = walk;
  return { word, name: nameOf(path), entry, below, leftOut, disputed };
}

function isBelow(path: string, { path: directory }: ContextEntry): boolean {
  return directory === "" || path.startsWith(`${directory}/`);
}

/** What only older engines have. */
function olderSource(word: string, entry: ContextEntry): SelectedSource {
  return { word, name: nameOf(entry.path), entry, below: [], leftOut: [], disputed: [entry.path] };
}

/** What a word with wildcards matches, with what it matches for older engines. */
function withOlderMatches(
  files: ContextFiles,
  { word, sources }: { word: string; sources: readonly SelectedSource[] },
): readonly SelectedSource[] {
  const pattern = posix.resolve("/", word).slice(1);
  const restored = files.restored.filter(({ path }) => matchPath(pattern, path));
  const all = [...sources, ...restored.map((entry) => olderSource(word, entry))];
  const [different] = files.differing;
  if (different === undefined) return all;
  // Who has other files may have others that match.
  if (all.length === 0) return [olderSource(word, different)];
  const paths = files.differing.map(({ path }) => path);
  return all.map((source) => ({ ...source, disputed: [...new Set([...source.disputed, ...paths])] }));
}

/** Goes through all that is below a source. */
interface Walk {
  readonly files: ContextFiles;
  readonly at: SourceRange;
  /** Where paths relative to the source begin. */
  readonly start: number;
  readonly excluding: IgnoreWalk | undefined;
  readonly below: BelowSource[];
  readonly leftOut: string[];
  readonly disputed: string[];
}

type BelowSource = SelectedSource["below"][number];

function collectBelow(walk: Walk, directory: string): void {
  const { files, at, start, excluding, below, leftOut } = walk;
  const entries = childrenOf(files, directory);
  const isDisputed = entries.length > 0 && files.isDisputedIn(directory);
  for (const item of relativeTo(entries, start)) {
    const { path, entry } = item;
    const isDirectory = entry.kind === "directory";
    if (excluding?.excludes(path, isDirectory) === true) {
      if (isDirectory) collectDirectories(files, { directory: entry.path, relative: path, found: leftOut });
      continue;
    }
    if (isDisputed || files.differs(entry.path)) walk.disputed.push(entry.path);
    refuseSpecial(entry, at);
    below.push(item);
    if (isDirectory) collectBelow(walk, entry.path);
  }
}

/** A directory and all that are in it. */
function collectDirectories(
  files: ContextFiles,
  { directory, relative, found }: { directory: string; relative: string; found: string[] },
): void {
  found.push(relative);
  for (const { kind, path } of childrenOf(files, directory)) {
    if (kind === "directory") {
      collectDirectories(files, { directory: path, relative: `${relative}/${nameOf(path)}`, found });
    }
  }
}

/** Lists that were seen before: of several revisions of a context most directories are the same. */
const relatives = new WeakMap<readonly ContextEntry[], { readonly start: number; readonly items: BelowSource[] }>();

function relativeTo(entries: readonly ContextEntry[], start: number): readonly BelowSource[] {
  const known = relatives.get(entries);
  if (known?.start === start) return known.items;
  const items = entries.map((entry) => ({ path: entry.path.slice(start), entry }));
  relatives.set(entries, { start, items });
  return items;
}

function childrenOf(files: ContextFiles, directory: string): readonly ContextEntry[] {
  const entry = files.get(directory);
  if (entry?.listing === "skipped") throw new Unlisted(directory);
  if (entry?.listing === "denied") {
    throw new LayerwiseError(
      "CONTEXT_UNREADABLE",
      `could not read the directory ${directory} of the build context: permission denied`,
      {
        hint: "give this user the right to read it, or name it in the ignore file",
      },
    );
  }
  return files.children(directory);
}

/** The path with all links resolved inside the context, the last one included; undefined if it leads nowhere. */
function follow(files: ContextFiles, wanted: Wanted & { path: string }): string | undefined {
  return entryAt(files, { ...wanted, path: withoutLinks(files, wanted) })?.path;
}

/** The same, whether it leads anywhere or not. */
function withoutLinks(files: ContextFiles, { path, word, at }: Wanted & { path: string }): string {
  let links = 0;
  return rootPath(path, (place) => {
    const entry = entryAt(files, { path: place, word, at });
    if (entry?.kind !== "symlink") return undefined;
    links += 1;
    if (links > maxLinks) throw tooManyLinks(word, at);
    return entry.target ?? "";
  });
}

function tooManyLinks(word: string, at: SourceRange): LayerwiseError {
  return new LayerwiseError("CONTEXT_NOT_FOUND", `could not find "${word}" in the build context: too many links`, {
    at,
  });
}

/** What is at a path, links before its last name followed. */
function entryAt(files: ContextFiles, { path, word, at }: Wanted & { path: string }): ContextEntry | undefined {
  let done = "";
  let links = 0;
  const todo = path.split("/").filter((part) => part !== "" && part !== ".");
  while (todo.length > 0) {
    const part = todo.shift() as string;
    if (part === "..") {
      done = parentOf(done);
      continue;
    }
    if (files.get(done)?.listing === "skipped") throw new Unlisted(done);
    const next = done === "" ? part : `${done}/${part}`;
    const entry = files.get(next);
    if (entry?.kind !== "symlink" || todo.length === 0) {
      if (entry === undefined) return undefined;
      done = next;
      continue;
    }
    links += 1;
    if (links > maxKernelLinks) throw tooManyLinks(word, at);
    const target = entry.target ?? "";
    if (target.startsWith("/")) done = "";
    todo.unshift(...target.split("/").filter((name) => name !== "" && name !== "."));
  }
  return files.get(done);
}

function refuseSpecial(entry: ContextEntry, at: SourceRange): void {
  if (entry.kind !== "other") return;
  throw new LayerwiseError(
    "CONTEXT_UNSUPPORTED",
    `could not copy ${entry.path}: it is a socket, a device or a pipe, not a file that an image can hold`,
    { at, hint: "name it in the ignore file, or copy the files beside it one by one" },
  );
}

function notFound({ word, at }: Wanted): LayerwiseError {
  if (posix.normalize(word.replace(/^\/+/, "")).startsWith("../")) {
    return new LayerwiseError("CONTEXT_ESCAPE", `could not copy "${word}": it leads out of the build context`, {
      at,
      hint: "use a build context that holds the file, or --build-context",
    });
  }
  return new LayerwiseError("CONTEXT_NOT_FOUND", `could not find "${word}" in the build context`, {
    at,
    hint: "check the path, and whether the ignore file excludes it",
  });
}

function hasWildcard(part: string): boolean {
  for (let index = 0; index < part.length; index++) {
    if (part[index] === "\\") index += 1;
    else if ("*?[".includes(part[index] as string)) return true;
  }
  return false;
}
