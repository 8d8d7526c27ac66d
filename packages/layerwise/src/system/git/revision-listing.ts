// SPDX-License-Identifier: Apache-2.0
import type { CallOptions, ContextEntry, ContextTree, RevisionNote } from "../../ports.ts";
import { compareFileNames } from "../../spec/file-name.ts";
import { conversionIn, type GitCommit, type GitTreeEntry } from "../../spec/git-object.ts";
import type { GitObjects } from "./git-objects.ts";
import { type GitTrees, missing } from "./git-trees.ts";

/** What the listings of all commits share: a directory that did not change is looked at once. */
export interface ListingStore {
  readonly objects: GitObjects;
  readonly trees: GitTrees;
  /** Sizes of blobs, by name. */
  readonly sizes: Map<string, number>;
  /** Directories by tree, path and umask. */
  readonly directories: Map<string, Promise<ListedDirectory>>;
  /** Entries by object, mode and path: one that did not change is the same object in each commit. */
  readonly entries: Map<string, ContextEntry>;
  /** What is behind an entry: the name of an object, or content that stands for something else. */
  readonly contents: WeakMap<ContextEntry, string | Buffer>;
}

/** Which context of a repository is opened. */
export interface RevisionPlace {
  readonly commit: GitCommit;
  /** The tree of the context's directory. */
  readonly tree: string;
  /** Whether the checkout has the repository itself in the context. */
  readonly hasGitDirectory: boolean;
  /** Permissions that a checkout takes away. */
  readonly umask: number;
}

/** A directory of a tree. */
interface ListedDirectory {
  readonly entries: readonly ContextEntry[];
  /** Those of the entries that hold others: directories and submodules. */
  readonly inner: readonly InnerEntry[];
  /** What the checkout of a `.gitattributes` converts. */
  readonly notes: readonly RevisionNote[];
}

interface InnerEntry {
  readonly git: GitTreeEntry;
  readonly entry: ContextEntry;
}

interface Listing extends RevisionPlace, CallOptions {
  readonly skip: (directory: string) => boolean;
  readonly note: (note: RevisionNote) => void;
}

/** Lists what a checkout of a commit would hold. */
export async function listRevision(store: ListingStore, listing: Listing): Promise<ContextTree> {
  const { commit, tree: root, hasGitDirectory, skip, umask, note, signal } = listing;
  const lists = new Map<string, readonly ContextEntry[]>();
  let size = 1;

  async function visit(id: string, directory: string): Promise<void> {
    signal?.throwIfAborted();
    const listed = await directoryOf(store, { id, directory, umask, signal });
    askAhead(listed);
    const isTop = directory === "" && hasGitDirectory;
    const { entries, inner, notes } = isTop ? withGitDirectory(listed, { commit, umask }) : listed;
    for (const one of notes) note(one);
    const skipped = new Set<ContextEntry>();
    for (const { git, entry } of inner) {
      if (skip(entry.path)) skipped.add(entry);
      else if (git.kind === "directory") await visit(git.id, entry.path);
      else standIn(git, entry);
    }
    lists.set(directory, skipped.size === 0 ? entries : entries.map((entry) => asSkipped(entry, skipped)));
    size += entries.length;
  }

  /** All directories of a directory are asked for at once; what goes wrong shows when it is their turn. */
  function askAhead({ inner }: ListedDirectory): void {
    for (const { git, entry } of inner) {
      if (git.kind !== "directory" || skip(entry.path)) continue;
      directoryOf(store, { id: git.id, directory: entry.path, umask, signal }).catch(() => undefined);
    }
  }

  /** The files of another repository are not here: one file with its commit stands for them. */
  function standIn(git: GitTreeEntry, { path }: ContextEntry): void {
    const isOwn = path === gitDirectory;
    const name = `${path}/${isOwn ? "HEAD" : "(submodule)"}`;
    const known = `stands for ${git.id} ${umask} ${name}`;
    const content = Buffer.from(`${git.id}\n`);
    const file = store.entries.get(known) ?? { ...fileEntry(name, umask), size: content.length };
    store.entries.set(known, file);
    store.contents.set(file, content);
    lists.set(path, [file]);
    size += 1;
    note({ kind: isOwn ? "git-directory" : "submodule", path, detail: git.id });
  }

  await visit(root, "");
  const top = directoryEntry("", umask);
  return {
    size,
    get: (path) => (path === "" ? top : indexOf(lists.get(parentOf(path)) ?? []).get(path)),
    children: (directory) => lists.get(directory) ?? [],
  };
}

function asSkipped(entry: ContextEntry, skipped: ReadonlySet<ContextEntry>): ContextEntry {
  return skipped.has(entry) ? { ...entry, listing: "skipped" } : entry;
}

/** Lists by path; most are those of other commits too. */
const indexes = new WeakMap<readonly ContextEntry[], ReadonlyMap<string, ContextEntry>>();

function indexOf(entries: readonly ContextEntry[]): ReadonlyMap<string, ContextEntry> {
  const index = indexes.get(entries) ?? new Map(entries.map((entry) => [entry.path, entry]));
  indexes.set(entries, index);
  return index;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

const gitDirectory = ".git";

/** A checkout has the repository beside the files, and it is another one after each commit. */
function withGitDirectory(
  { entries, inner, notes }: ListedDirectory,
  { commit, umask }: { commit: GitCommit; umask: number },
): ListedDirectory {
  const git: GitTreeEntry = { name: gitDirectory, kind: "submodule", isExecutable: false, id: commit.id };
  const entry = directoryEntry(gitDirectory, umask);
  const sorted = [...entries, entry].sort((one, other) => compareFileNames(one.path, other.path));
  return { entries: sorted, inner: [...inner, { git, entry }], notes };
}

interface Directory extends CallOptions {
  readonly id: string;
  readonly directory: string;
  readonly umask: number;
}

function directoryOf(store: ListingStore, wanted: Directory): Promise<ListedDirectory> {
  const known = `${wanted.id} ${wanted.umask} ${wanted.directory}`;
  let listed = store.directories.get(known);
  if (listed === undefined) {
    listed = readDirectory(store, wanted);
    store.directories.set(known, listed);
  }
  return listed;
}

async function readDirectory(
  store: ListingStore,
  { id, directory, umask, signal }: Directory,
): Promise<ListedDirectory> {
  const names = await store.trees.read(id, { signal });
  await learnSizes(store, names, { signal });
  const entries: ContextEntry[] = [];
  const inner: InnerEntry[] = [];
  const notes: RevisionNote[] = [];
  for (const git of names) {
    const path = directory === "" ? git.name : `${directory}/${git.name}`;
    const entry = await entryOf(store, { git, path, umask, signal });
    entries.push(entry);
    if (entry.kind === "directory") inner.push({ git, entry });
    const conversion = await conversionOf(store, git, { signal });
    if (conversion !== undefined) notes.push({ kind: "conversion", path, detail: conversion });
  }
  return { entries, inner, notes };
}

async function learnSizes(
  { objects, sizes }: ListingStore,
  names: readonly GitTreeEntry[],
  call: CallOptions,
): Promise<void> {
  const wanted = names.filter(({ kind, id }) => kind === "file" && !sizes.has(id)).map(({ id }) => id);
  const heads = await objects.heads(wanted, call);
  for (const [index, id] of wanted.entries()) sizes.set(id, (heads[index] ?? missing(id)).size);
}

async function entryOf(
  { trees, sizes, entries, contents }: ListingStore,
  { git, path, umask, signal }: { git: GitTreeEntry; path: string; umask: number } & CallOptions,
): Promise<ContextEntry> {
  // A directory is the same one whatever it holds.
  const id = git.kind === "file" || git.kind === "symlink" ? git.id : "";
  const known = `${git.kind} ${git.isExecutable} ${umask} ${id} ${path}`;
  const before = entries.get(known);
  if (before !== undefined) return before;
  let entry = directoryEntry(path, umask);
  if (git.kind === "symlink") {
    entry = { ...entry, kind: "symlink", mode: 0o777, target: await trees.target(git.id, { signal }) };
  } else if (git.kind === "file") {
    const mode = git.isExecutable ? entry.mode : fileEntry(path, umask).mode;
    entry = { ...entry, kind: "file", mode, size: sizes.get(git.id) ?? 0 };
  }
  entries.set(known, entry);
  contents.set(entry, git.id);
  return entry;
}

async function conversionOf(
  { objects }: ListingStore,
  { name, kind, id }: GitTreeEntry,
  call: CallOptions,
): Promise<string | undefined> {
  if (name !== ".gitattributes" || kind !== "file") return undefined;
  return conversionIn(((await objects.read(id, call)) ?? missing(id)).bytes.toString("utf8"));
}

/** Times count in no key, and git keeps none. */
function directoryEntry(path: string, umask: number): ContextEntry {
  return { path, kind: "directory", mode: 0o777 & ~umask, uid: 0, gid: 0, size: 0, mtime: 0 };
}

function fileEntry(path: string, umask: number): ContextEntry {
  return { ...directoryEntry(path, umask), kind: "file", mode: 0o666 & ~umask };
}
