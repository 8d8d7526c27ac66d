// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import { digestSchema } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { type ContentSink, type ReadEntry, startTarReader, type TarReader } from "./tar-reader.ts";

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
  readonly entries: readonly LayerEntry[];
  /** Contents of the files that name users and groups, by path. */
  readonly texts: ReadonlyMap<string, string>;
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

/** Starts collecting. Throws a TarError on bytes that are no tar archive. */
export function collectLayerFiles(): LayerFilesCollector {
  const entries: LayerEntry[] = [];
  const texts = new Map<string, string>();
  const reader: TarReader = startTarReader((entry) => {
    const collected = layerEntryOf(entry);
    if (collected === undefined) return undefined;
    entries.push(collected);
    // A hard link has no content of its own here; what it names stays unknown.
    const keepsText = entry.kind === "file" && textPaths.has(entry.path) && entry.size <= maxTextBytes;
    return keepsText ? textSink(entry.path, texts) : undefined;
  });
  return {
    write: reader.write,
    end() {
      reader.end();
      return { entries, texts };
    },
  };
}

function textSink(path: string, texts: Map<string, string>): ContentSink {
  const parts: Uint8Array[] = [];
  texts.set(path, "");
  return {
    data: (chunk) => parts.push(Uint8Array.from(chunk)),
    end: () => void texts.set(path, Buffer.concat(parts).toString("latin1")),
  };
}

const whiteoutPrefix = ".wh.";
const opaqueName = ".wh..wh..opq";

function layerEntryOf(entry: ReadEntry): LayerEntry | undefined {
  const { path, kind, mode, uid, gid, mtime } = entry;
  if (path === "") return undefined;
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  if (name === opaqueName) return { kind: "opaque", path: path.slice(0, Math.max(slash, 0)) };
  // Other names of this form are a union file system's own records, not whiteouts.
  if (name.startsWith(".wh..wh.")) return undefined;
  if (name.startsWith(whiteoutPrefix)) {
    return { kind: "whiteout", path: path.slice(0, slash + 1) + name.slice(whiteoutPrefix.length) };
  }
  switch (kind) {
    case "directory":
      return { kind: "directory", path, mode, uid, gid, mtime };
    case "symlink":
      return { kind: "symlink", path, target: entry.target ?? "", uid, gid };
    case "file":
    case "hardlink":
      return { kind: "file", path, mode, uid, gid, mtime };
    default:
      return { kind: "device", path, mode, uid, gid, mtime };
  }
}

/*
 * The stored form groups entries by directory and leaves out what is usual, which saves a fifth after gzip:
 * {"version":1,"layers":[{"diffId":…,"texts":{…},"directories":[["usr/bin",[["bash","f755"],…]],…]}]}
 * An entry is [name, kind letter and octal mode, mtime of a directory or target of a symlink, uid, gid].
 */
const version = 1;

type StoredEntry = readonly [string, string, (number | string)?, number?, number?];

const storedSchema = v.object({
  version: v.literal(version),
  layers: v.array(
    v.object({
      diffId: digestSchema,
      texts: v.record(v.string(), v.string()),
      directories: v.array(v.tuple([v.string(), v.array(v.custom<StoredEntry>((value) => Array.isArray(value)))])),
    }),
  ),
});

/** Writes the manifests of a chain's layers, lowest first, as one document. */
export function encodeLayerFiles(layers: readonly LayerFiles[]): Uint8Array {
  const document = {
    version,
    layers: layers.map(({ diffId, entries, texts }) => ({
      diffId,
      texts: Object.fromEntries(texts),
      directories: storedDirectories(entries),
    })),
  };
  return Buffer.from(JSON.stringify(document));
}

/** Reads what {@link encodeLayerFiles} wrote. */
export function decodeLayerFiles(bytes: Uint8Array, source: string): LayerFiles[] {
  const parsed = v.safeParse(storedSchema, JSON.parse(Buffer.from(bytes).toString("utf8")));
  if (!parsed.success) {
    throw new LayerwiseError(
      "REGISTRY_PROTOCOL",
      `could not read the layer files of ${source}: ${v.summarize(parsed.issues)}`,
    );
  }
  return parsed.output.layers.map(({ diffId, texts, directories }) => ({
    diffId,
    texts: new Map(Object.entries(texts)),
    entries: directories.flatMap(([directory, stored]) => stored.map((entry) => readEntry(directory, entry))),
  }));
}

function storedDirectories(entries: readonly LayerEntry[]): [string, StoredEntry[]][] {
  const directories: [string, StoredEntry[]][] = [];
  for (const entry of entries) {
    // The order of entries is kept: a later entry for the same path replaces an earlier one.
    const slash = entry.path.lastIndexOf("/");
    const directory = slash === -1 ? "" : entry.path.slice(0, slash);
    const last = directories.at(-1);
    const stored = storedEntry(entry, entry.path.slice(slash + 1));
    if (last?.[0] === directory) last[1].push(stored);
    else directories.push([directory, [stored]]);
  }
  return directories;
}

function storedEntry(entry: LayerEntry, name: string): StoredEntry {
  switch (entry.kind) {
    case "whiteout":
      return [name, "w"];
    case "opaque":
      return [name, "o"];
    case "symlink":
      return withOwner([name, "l", entry.target], entry);
    case "directory":
      return withOwner([name, `d${entry.mode.toString(8)}`, entry.mtime], entry);
    case "file":
      return withOwner([name, `f${entry.mode.toString(8)}`], entry);
    case "device":
      return withOwner([name, `n${entry.mode.toString(8)}`], entry);
  }
}

function withOwner(
  entry: [string, string, (number | string)?],
  { uid, gid }: { uid: number; gid: number },
): StoredEntry {
  if (uid === 0 && gid === 0) return entry;
  return [entry[0], entry[1], entry[2] ?? 0, uid, gid];
}

function readEntry(directory: string, [name, type, extra, uid = 0, gid = 0]: StoredEntry): LayerEntry {
  const path = directory === "" ? name : `${directory}/${name}`;
  const mode = Number.parseInt(type.slice(1) || "0", 8);
  const mtime = typeof extra === "number" ? extra : 0;
  switch (type[0]) {
    case "w":
      return { kind: "whiteout", path };
    case "o":
      return { kind: "opaque", path };
    case "l":
      return { kind: "symlink", path, target: String(extra), uid, gid };
    case "d":
      return { kind: "directory", path, mode, uid, gid, mtime };
    case "f":
      return { kind: "file", path, mode, uid, gid, mtime };
    default:
      return { kind: "device", path, mode, uid, gid, mtime };
  }
}
