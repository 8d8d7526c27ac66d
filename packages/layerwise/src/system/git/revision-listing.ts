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
  readonly directories: Map<string, Promise<readonly ListedEntry[]>>;
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

interface ListedEntry {
  readonly git: GitTreeEntry;
  readonly entry: ContextEntry;
  /** What the checkout of a `.gitattributes` converts. */
  readonly conversion: string | undefined;
}

interface Listing extends RevisionPlace, CallOptions {
  readonly skip: (directory: string) => boolean;
  readonly note: (note: RevisionNote) => void;
}

/** Lists what a checkout of a commit would hold. */
export async function listRevision(store: ListingStore, listing: Listing): Promise<ContextTree> {
  const { commit, tree: root, hasGitDirectory, skip, umask, note, signal } = listing;
  const tree = new Map<string, ContextEntry>();
  tree.set("", directoryEntry("", umask));

  async function visit(id: string, directory: string): Promise<void> {
    signal?.throwIfAborted();
    const listed = await directoryOf(store, { id, directory, umask, signal });
    askAhead(listed);
    const isTop = directory === "" && hasGitDirectory;
    for (const one of isTop ? withGitDirectory(listed, { commit, umask }) : listed) {
      const { git, entry, conversion } = one;
      const isSkipped = entry.kind === "directory" && skip(entry.path);
      tree.set(entry.path, isSkipped ? { ...entry, listing: "skipped" } : entry);
      if (conversion !== undefined) note({ kind: "conversion", path: entry.path, detail: conversion });
      if (isSkipped) continue;
      if (git.kind === "directory") await visit(git.id, entry.path);
      else if (git.kind === "submodule") standIn(one);
    }
  }

  /** All directories of a directory are asked for at once; what goes wrong shows when it is their turn. */
  function askAhead(listed: readonly ListedEntry[]): void {
    for (const { git, entry } of listed) {
      if (git.kind !== "directory" || skip(entry.path)) continue;
      directoryOf(store, { id: git.id, directory: entry.path, umask, signal }).catch(() => undefined);
    }
  }

  /** The files of another repository are not here: one file with its commit stands for them. */
  function standIn({ git, entry: { path } }: ListedEntry): void {
    const isOwn = path === gitDirectory;
    const name = `${path}/${isOwn ? "HEAD" : "(submodule)"}`;
    const known = `stands for ${git.id} ${umask} ${name}`;
    const content = Buffer.from(`${git.id}\n`);
    const file = store.entries.get(known) ?? { ...fileEntry(name, umask), size: content.length };
    store.entries.set(known, file);
    store.contents.set(file, content);
    tree.set(name, file);
    note({ kind: isOwn ? "git-directory" : "submodule", path, detail: git.id });
  }

  await visit(root, "");
  return tree;
}

const gitDirectory = ".git";

/** A checkout has the repository beside the files, and it is another one after each commit. */
function withGitDirectory(
  listed: readonly ListedEntry[],
  { commit, umask }: { commit: GitCommit; umask: number },
): readonly ListedEntry[] {
  const git: GitTreeEntry = { name: gitDirectory, kind: "submodule", isExecutable: false, id: commit.id };
  const own = { git, entry: directoryEntry(gitDirectory, umask), conversion: undefined };
  return [...listed, own].sort((one, other) => compareFileNames(one.git.name, other.git.name));
}

interface Directory extends CallOptions {
  readonly id: string;
  readonly directory: string;
  readonly umask: number;
}

function directoryOf(store: ListingStore, wanted: Directory): Promise<readonly ListedEntry[]> {
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
): Promise<readonly ListedEntry[]> {
  const names = await store.trees.read(id, { signal });
  await learnSizes(store, names, { signal });
  const listed: ListedEntry[] = [];
  for (const git of names) {
    const path = directory === "" ? git.name : `${directory}/${git.name}`;
    const entry = await entryOf(store, { git, path, umask, signal });
    listed.push({ git, entry, conversion: await conversionOf(store, git, { signal }) });
  }
  return listed;
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
