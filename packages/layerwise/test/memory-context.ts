// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../src/error.ts";
import type { BuildContext, ContextEntry, ContextLocation, ContextTree } from "../src/ports.ts";
import { digestOf } from "../src/spec/digest.ts";
import { compareFileNames } from "../src/spec/file-name.ts";
import { contextTree } from "../src/system/context-tree.ts";

/** A file of a context in memory: bytes alone are a file of mode 0644. */
export type MemoryFile =
  | string
  | Uint8Array
  | {
      readonly content?: string | Uint8Array;
      readonly directory?: true;
      readonly target?: string;
      readonly mode?: number;
      readonly mtime?: number;
      readonly uid?: number;
      readonly gid?: number;
      readonly hardLink?: string;
    };

/** Files by path; directories above them are added. */
export type MemoryFiles = Readonly<Record<string, MemoryFile>>;

/** What a context in memory may be told. */
export interface MemoryContextOptions {
  readonly name?: string;
  readonly location?: ContextLocation;
  /** Paths of files that have capabilities. */
  readonly capable?: readonly string[];
}

/** A build context in memory. */
export interface MemoryContext extends BuildContext {
  /** Paths in the order in which they were opened. */
  readonly opened: readonly string[];
  /** Changes a file after it was listed. */
  change(path: string, content: string): void;
}

/** Opens a build context in memory. */
export function openMemoryContext(files: MemoryFiles, options: MemoryContextOptions = {}): MemoryContext {
  const { name = "memory", location = { kind: "directory", path: name }, capable = [] } = options;
  const contents = new Map(Object.entries(files).map(([path, file]) => [path, contentOf(file)]));
  const opened: string[] = [];
  const bytesAt = (path: string): Uint8Array => {
    const bytes = contents.get(path);
    if (bytes === undefined) throw new LayerwiseError("CONTEXT_CHANGED", `could not read ${path}: it is gone`);
    return bytes;
  };
  return {
    name,
    location,
    opened,
    change: (path, content) => void contents.set(path, Buffer.from(content)),
    list: async (skip) => treeOf(files, skip),
    digests: async (entries) => entries.map(({ path }) => digestOf(bytesAt(path))),
    async *open({ path }) {
      opened.push(path);
      // One buffer for all pieces, as the real contexts have it.
      const buffer = Buffer.alloc(64 * 1024);
      const bytes = bytesAt(path);
      for (let at = 0; at < bytes.length; at += buffer.length) {
        const length = Math.min(buffer.length, bytes.length - at);
        buffer.set(bytes.subarray(at, at + length));
        yield buffer.subarray(0, length);
      }
    },
    async text(path) {
      const bytes = contents.get(path);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
    },
    capabilities: async (entries) =>
      new Map(entries.filter(({ path }) => capable.includes(path)).map(({ path }) => [path, "cap_net_raw=ep"])),
  };
}

function contentOf(file: MemoryFile): Uint8Array {
  if (typeof file === "string" || file instanceof Uint8Array) return Buffer.from(file);
  return Buffer.from(file.content ?? "");
}

function treeOf(files: MemoryFiles, skip: (directory: string) => boolean): ContextTree {
  const entries = new Map<string, ContextEntry>([["", directoryEntry("")]]);
  for (const [path, file] of Object.entries(files)) {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      const above = path.slice(0, slash);
      if (!entries.has(above)) entries.set(above, directoryEntry(above));
    }
    entries.set(path, entryOf(path, file));
  }
  const tree = new Map<string, ContextEntry>();
  const visit = (directory: string): void => {
    const children = [...entries.values()].filter(({ path }) => path !== "" && parentOf(path) === directory);
    children.sort((one, other) => compareFileNames(one.path, other.path));
    for (const entry of children) {
      const isSkipped = entry.kind === "directory" && skip(entry.path);
      tree.set(entry.path, isSkipped ? { ...entry, listing: "skipped" } : entry);
      if (entry.kind === "directory" && !isSkipped) visit(entry.path);
    }
  };
  tree.set("", entries.get("") as ContextEntry);
  visit("");
  return contextTree(tree);
}

function entryOf(path: string, file: MemoryFile): ContextEntry {
  const size = contentOf(file).length;
  const plain: ContextEntry = { path, kind: "file", mode: 0o644, uid: 0, gid: 0, size, mtime: 0 };
  if (typeof file === "string" || file instanceof Uint8Array) return plain;
  const { directory, target, mode, mtime = 0, uid = 0, gid = 0, hardLink } = file;
  const kind = directory === true ? "directory" : target === undefined ? "file" : "symlink";
  const usual = kind === "file" ? 0o644 : kind === "directory" ? 0o755 : 0o777;
  return { ...plain, kind, mode: mode ?? usual, uid, gid, mtime, target, hardLink };
}

function directoryEntry(path: string): ContextEntry {
  return { path, kind: "directory", mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 };
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
