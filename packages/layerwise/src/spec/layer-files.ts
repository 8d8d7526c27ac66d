// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "./digest.ts";
import { type ContentSink, type ReadEntry, startTarReader, TarError, type TarReader } from "./tar-reader.ts";

/** What a layer says about one path. */
export type LayerEntry =
  | {
      readonly kind: "directory" | "file" | "device";
      readonly path: string;
      /** 0 to 07777. */
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      /** Whole seconds since 1970. */
      readonly mtime: number;
    }
  | {
      readonly kind: "symlink";
      readonly path: string;
      readonly target: string;
      readonly uid: number;
      readonly gid: number;
    }
  /** The path is gone from the layers below. */
  | { readonly kind: "whiteout"; readonly path: string }
  /** What the layers below have in this directory is gone. */
  | { readonly kind: "opaque"; readonly path: string };

/**
 * The layer file-system manifest: everything one layer says about the file tree, without contents. A pure function of
 * the layer's bytes, so its diff ID names it.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md#representing-changes
 */
export interface LayerFiles {
  readonly diffId: Digest;
  /** In the order of the layer; a directory comes again if others came in between. */
  readonly directories: readonly LayerDirectory[];
  /** Contents of the files that name users and groups, by path. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Entries of a layer that follow each other and lie in one directory. */
export interface LayerDirectory {
  /** Of the directory, relative to the root and without detours; empty for the root. */
  readonly path: string;
  readonly entries: readonly LayerEntry[];
  /** Whether some entry is neither a whiteout nor an opaque directory. */
  readonly hasPlaced: boolean;
  /** Whether all entries are opaque directories. */
  readonly isOpaqueOnly: boolean;
}

/** Files whose content COPY --chown and USER look into. */
const textPaths: ReadonlySet<string> = new Set(["etc/passwd", "etc/group"]);

/** Longest text that is kept, in bytes; a longer file makes names unresolvable, so the engine resolves them. */
const maxTextBytes = 1024 * 1024;

/** Collects a layer's file-system manifest from its uncompressed bytes. */
export interface LayerFilesCollector {
  write(chunk: Uint8Array): void;
  /** What was collected; the diff ID is known only to the caller. */
  end(): Omit<LayerFiles, "diffId">;
}

/**
 * Starts collecting. Throws a TarError on bytes that are no tar archive.
 *
 * @param observe sees every entry that is collected, and returns who else receives its content
 */
export function collectLayerFiles(
  observe: (entry: ReadEntry) => ContentSink | undefined = () => undefined,
): LayerFilesCollector {
  const entries: LayerEntry[] = [];
  const files = new Map<string, LayerEntry>();
  const texts = new Map<string, string>();
  const reader: TarReader = startTarReader((entry) => {
    const collected = layerEntryOf(entry, files);
    if (collected === undefined) return undefined;
    entries.push(collected);
    files.set(collected.path, collected);
    const observer = observe(entry);
    if (!textPaths.has(entry.path)) return observer;
    // What an earlier entry of the same name had is gone. A hard link has no content of its own here.
    texts.delete(entry.path);
    if (entry.kind !== "file" || entry.size > maxTextBytes) return observer;
    return both(textSink(entry.path, texts), observer);
  });
  return {
    write: reader.write,
    end() {
      reader.end();
      return { directories: groupByDirectory(entries), texts };
    },
  };
}

/** Groups a layer's entries and keeps their order: a later entry for the same path replaces an earlier one. */
export function groupByDirectory(entries: readonly LayerEntry[]): LayerDirectory[] {
  const groups: { path: string; entries: LayerEntry[] }[] = [];
  for (const entry of entries) {
    const path = namesBelowRoot(entry.path).slice(0, -1).join("/");
    const last = groups.at(-1);
    if (last?.path === path) last.entries.push(entry);
    else groups.push({ path, entries: [entry] });
  }
  return groups.map((group) => ({
    ...group,
    hasPlaced: group.entries.some(({ kind }) => kind !== "whiteout" && kind !== "opaque"),
    isOpaqueOnly: group.entries.every(({ kind }) => kind === "opaque"),
  }));
}

/** Archives are extracted below a root that ".." does not leave. */
function namesBelowRoot(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
}

/** The name that an entry has in its directory; undefined for the root. */
export function nameBelowRoot(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name !== "" && name !== "." && name !== ".." ? name : namesBelowRoot(path).at(-1);
}

function textSink(path: string, texts: Map<string, string>): ContentSink {
  const parts: Uint8Array[] = [];
  texts.set(path, "");
  return {
    data: (chunk) => parts.push(Uint8Array.from(chunk)),
    end: () => void texts.set(path, Buffer.concat(parts).toString("latin1")),
  };
}

function both(one: ContentSink, other: ContentSink | undefined): ContentSink {
  if (other === undefined) return one;
  return {
    data(chunk) {
      one.data(chunk);
      other.data(chunk);
    },
    end() {
      one.end?.();
      other.end?.();
    },
  };
}

const whiteoutPrefix = ".wh.";
const opaqueName = ".wh..wh..opq";
const recordPrefix = ".wh..wh.";

function layerEntryOf(entry: ReadEntry, files: ReadonlyMap<string, LayerEntry>): LayerEntry | undefined {
  const { path, kind, mode, uid, gid, mtime } = entry;
  if (path === "") return undefined;
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  if (name === opaqueName) return { kind: "opaque", path: path.slice(0, Math.max(slash, 0)) };
  // Other names of this form are a union file system's own records, and so is all below them at the top.
  if (name.startsWith(recordPrefix) || path.startsWith(recordPrefix)) return undefined;
  if (name.startsWith(whiteoutPrefix)) {
    return { kind: "whiteout", path: path.slice(0, slash + 1) + name.slice(whiteoutPrefix.length) };
  }
  switch (kind) {
    case "directory":
      return { kind: "directory", path, mode, uid, gid, mtime };
    case "symlink":
      return { kind: "symlink", path, target: entry.target ?? "", uid, gid };
    case "file":
      return { kind: "file", path, mode, uid, gid, mtime };
    case "hardlink":
      return linked(entry, files.get(entry.target ?? ""));
    default:
      return { kind: "device", path, mode, uid, gid, mtime };
  }
}

/** A hard link is whatever its target is, a symlink too; every builder writes the target before it. */
function linked({ path, target, mode, uid, gid, mtime }: ReadEntry, file: LayerEntry | undefined): LayerEntry {
  if (file?.kind === "symlink") return { ...file, path };
  if (file?.kind === "file" || file?.kind === "device") return { kind: file.kind, path, mode, uid, gid, mtime };
  throw new TarError(`${path} is a hard link to ${target}, which is no file before it`);
}
