// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { digestSchema } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { readDocument } from "./json-document.ts";
import type { LayerDirectory, LayerEntry, LayerFiles } from "./layer-files.ts";

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

type StoredDirectory = readonly [string, readonly StoredEntry[]];

/** Entries as a document has them, grouped by directory. */
export const directoriesSchema: v.GenericSchema<unknown, StoredDirectory[]> = v.pipe(
  v.array(v.custom<StoredDirectory>(isStoredDirectory)),
  v.check((directories) => directories.every(([path]) => staysInside(path)), leadsOut),
);

/** The files of one layer as a document has them. */
export const layerSchema: v.GenericSchema<unknown, StoredLayer> = v.object({
  diffId: digestSchema,
  texts: v.record(v.string(), v.string()),
  directories: directoriesSchema,
});

/** What {@link layerSchema} takes. */
export interface StoredLayer {
  readonly diffId: Digest;
  readonly texts: Readonly<Record<string, string>>;
  readonly directories: readonly StoredDirectory[];
}

const storedSchema = v.object({ version: v.literal(version), layers: v.array(layerSchema) });

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
  return Buffer.from(JSON.stringify({ version, layers: layers.map(storeLayer) }));
}

/** One layer in the form of a document. */
export function storeLayer({ diffId, directories, texts }: LayerFiles): StoredLayer {
  return { diffId, texts: Object.fromEntries(texts), directories: storeDirectories(directories) };
}

/** Entries in the form of a document. */
export function storeDirectories(directories: readonly LayerDirectory[]): readonly StoredDirectory[] {
  return directories.map(({ path, entries }) => [path, entries.map(storedEntry)]);
}

/** Reads what {@link encodeLayerFiles} wrote; REGISTRY_PROTOCOL if it is anything else. */
export function decodeLayerFiles(bytes: Uint8Array, source: string): LayerFiles[] {
  return readDocument(bytes, storedSchema, `the layer files document of ${source}`).layers.map(openLayer);
}

/** Reads what {@link storeLayer} made. */
export function openLayer({ diffId, texts, directories }: StoredLayer): LayerFiles {
  return { diffId, texts: new Map(Object.entries(texts)), directories: openDirectories(directories) };
}

/** Reads what {@link storeDirectories} made. */
export function openDirectories(directories: readonly StoredDirectory[]): readonly LayerDirectory[] {
  return directories.map(([path, stored]) => new StoredEntries(path, stored));
}

/** Most directories of a document are never looked at, so their entries are made when they are. */
class StoredEntries implements LayerDirectory {
  readonly path: string;
  readonly #stored: readonly StoredEntry[];

  constructor(path: string, stored: readonly StoredEntry[]) {
    this.path = path;
    this.#stored = stored;
  }

  get entries(): readonly LayerEntry[] {
    return this.#stored.map((entry) => readEntry(this.path, entry));
  }

  get hasPlaced(): boolean {
    return this.#stored.some(([, type]) => type !== "w" && type !== "o");
  }

  get isOpaqueOnly(): boolean {
    return this.#stored.every(([, type]) => type === "o");
  }
}

function storedEntry(entry: LayerEntry): StoredEntry {
  const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
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
