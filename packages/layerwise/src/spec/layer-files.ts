// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import { digestSchema } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { firstIssue } from "./first-issue.ts";
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

/*
 * The stored form groups entries by directory and leaves out what is usual, which saves a fifth after gzip:
 * {"version":1,"layers":[{"diffId":…,"texts":{…},"directories":[["usr/bin",[["bash","f755"],…]],…]}]}
 * An entry is [name, kind letter and octal mode, mtime of a directory or target of a symlink, uid, gid].
 */
const version = 1;

type StoredEntry = readonly [string, string, (number | string)?, number?, number?];

const leadsOut = "a path leads out of the layer";

/** Whether a directory's path is one that {@link encodeLayerFiles} would write: below the root and without detours. */
function staysInside(path: string): boolean {
  return path === "" || !emptyOrDots.test(path);
}

/** A component that is empty, `.` or `..`. */
const emptyOrDots = /(?:^|\/)\.{0,2}(?:\/|$)/;

const storedSchema = v.object({
  version: v.literal(version),
  layers: v.array(
    v.object({
      diffId: digestSchema,
      texts: v.record(v.string(), v.string()),
      directories: v.pipe(
        v.array(v.custom<StoredDirectory>(isStoredDirectory)),
        v.check((directories) => directories.every(([path]) => staysInside(path)), leadsOut),
      ),
    }),
  ),
});

type StoredDirectory = readonly [string, readonly StoredEntry[]];

/** There are tens of thousands of entries on the way to every assembled image, so they are checked in one plain loop. */
function isStoredDirectory(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== "string") return false;
  const entries: unknown = value[1];
  return Array.isArray(entries) && entries.every(isStoredEntry);
}

const entryTypes = /^(?:[wol]|[dfn][0-7]{1,4})$/;

function isStoredEntry(value: unknown): boolean {
  if (!Array.isArray(value) || value.length < 2) return false;
  const [name, type, extra, uid, gid] = value as unknown[];
  if (typeof name !== "string" || typeof type !== "string" || !entryTypes.test(type)) return false;
  // Only the root has no name, of which nothing can be said but that it is opaque.
  if (name.includes("/") || !staysInside(name) || (name === "" && type !== "o")) return false;
  if (type === "l" ? typeof extra !== "string" : extra !== undefined && !Number.isSafeInteger(extra)) return false;
  return value.length <= 3 || (value.length === 5 && Number.isSafeInteger(uid) && Number.isSafeInteger(gid));
}

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

/** Reads what {@link encodeLayerFiles} wrote; REGISTRY_PROTOCOL if it is anything else. */
export function decodeLayerFiles(bytes: Uint8Array, source: string): LayerFiles[] {
  const unreadable = (why: string, cause?: unknown) =>
    new LayerwiseError("REGISTRY_PROTOCOL", `could not read the layer files of ${source}: ${why}`, { cause });
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw unreadable("they are no JSON", cause);
  }
  const parsed = v.safeParse(storedSchema, document);
  if (!parsed.success) throw unreadable(firstIssue(parsed.issues));
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
  const mode = Number.parseInt(type.slice(1), 8);
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
