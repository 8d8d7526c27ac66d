// SPDX-License-Identifier: Apache-2.0
import { closeSync, lstatSync, readdirSync, readlinkSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { LayerwiseError } from "../error.ts";
import type { BuildContext, CallOptions, ContextEntry, ContextTree } from "../ports.ts";
import { compareFileNames, decodeFileName } from "../spec/file-name.ts";
import { capableFiles } from "./capabilities.ts";
import { digestsOf } from "./context-digests.ts";
import { bufferBytes, fsPath, openFile, readPiece, textOf, unreadable } from "./context-file.ts";
import { contextTree } from "./context-tree.ts";

/** Milliseconds within which two writes may leave the same time on a file; 2 s is what the coarsest file systems keep. */
const coarsestTime = 2000;

/**
 * Opens a directory as build context. Files are read synchronously into one buffer, which costs a fifth of what
 * Node's promises do on small files; see bench/ for the figures.
 */
export function openContextDirectory(path: string): BuildContext {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (cause) {
    throw new LayerwiseError("CONTEXT_NOT_FOUND", `could not find the build context ${path}`, {
      cause,
      hint: "give a directory, or - for a tar on stdin",
    });
  }
  if (!stats.isDirectory()) {
    throw new LayerwiseError("CONTEXT_NOT_FOUND", `could not use ${path} as build context: it is no directory`, {
      hint: "give a directory, or - for a tar on stdin",
    });
  }
  return {
    name: path,
    location: { kind: "directory", path },
    list: async (skip, options) => listDirectory(path, { skip, ...options }),
    digests: async (files, options) => await digestsOf(path, { files, ...options }),
    open: (file, options) => readFile(path, { file, ...options }),
    text: async (name) => textOf(join(path, name)),
    capabilities: async (files, options) => await capableFiles(path, { files, ...options }),
  };
}

interface Listing extends CallOptions {
  readonly skip: (directory: string) => boolean;
}

function listDirectory(root: string, { skip, signal }: Listing): ContextTree {
  const tree = new Map<string, ContextEntry>();
  const recent = Date.now() - coarsestTime;
  tree.set("", entryOf("", statSync(root), recent));
  const visit = (directory: string): void => {
    signal?.throwIfAborted();
    const names = namesIn(root, directory);
    if (names === undefined) {
      tree.set(directory, { ...(tree.get(directory) as ContextEntry), listing: "denied" });
      return;
    }
    for (const name of names) {
      const path = directory === "" ? name : `${directory}/${name}`;
      const entry = lookAt(root, { path, recent });
      if (entry === undefined) continue;
      const skipped = entry.kind === "directory" && skip(path);
      tree.set(path, skipped ? { ...entry, listing: "skipped" } : entry);
      if (entry.kind === "directory" && !skipped) visit(path);
    }
  };
  visit("");
  return contextTree(tree);
}

/** The names in a directory, sorted by their bytes; undefined if it may not be read. */
function namesIn(root: string, directory: string): readonly string[] | undefined {
  const path = fsPath(root, directory);
  try {
    let names = readdirSync(path);
    // Node replaces what is no UTF-8; such names are read again as bytes.
    if (names.some((name) => name.includes("\ufffd"))) {
      names = readdirSync(path, { encoding: "buffer" }).map((name) => decodeFileName(name as unknown as Buffer));
    }
    return names.sort(compareFileNames);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") return undefined;
    if (code === "ENOENT") return [];
    throw unreadable(directory, error);
  }
}

/** Undefined if the file went away since its directory was read. */
function lookAt(root: string, { path, recent }: { path: string; recent: number }): ContextEntry | undefined {
  try {
    const full = fsPath(root, path);
    const stats = lstatSync(full);
    const target = stats.isSymbolicLink() ? decodeFileName(readlinkSync(full, { encoding: "buffer" })) : undefined;
    return { ...entryOf(path, stats, recent), ...(target === undefined ? {} : { target }) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadable(path, error);
  }
}

/**
 * Owners are dropped: what comes from a directory belongs to root in every image, as BuildKit has it.
 *
 * @param recent milliseconds since 1970; what was written later counts as recent
 */
function entryOf(path: string, stats: Stats, recent: number): ContextEntry {
  const kind = stats.isDirectory()
    ? "directory"
    : stats.isFile()
      ? "file"
      : stats.isSymbolicLink()
        ? "symlink"
        : "other";
  return {
    path,
    kind,
    mode: stats.mode & 0o7777,
    uid: 0,
    gid: 0,
    size: kind === "file" ? stats.size : 0,
    mtime: Math.floor(stats.mtimeMs / 1000),
    // A program may set the other times back, this one not.
    ...(kind === "file" ? { version: `${stats.ino}:${stats.ctimeMs}`, isRecent: stats.ctimeMs >= recent } : {}),
    ...(kind === "file" && stats.nlink > 1 ? { hardLink: `${stats.dev}:${stats.ino}` } : {}),
  };
}

async function* readFile(
  root: string,
  { file, signal }: { file: ContextEntry } & CallOptions,
): AsyncGenerator<Uint8Array> {
  const descriptor = openFile(root, file);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(bufferBytes, Math.max(1, file.size)));
    for (;;) {
      signal?.throwIfAborted();
      const length = readPiece(descriptor, { file, buffer });
      if (length === 0) return;
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}
