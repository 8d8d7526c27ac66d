// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import type { LocatedLayer } from "../plan/gather-files.ts";
import { layerTimes } from "../plan/history-times.ts";
import type { CallOptions } from "../ports.ts";
import { canDecompress, decompressed } from "../spec/compression.ts";
import { type Digest, digestOf, startDigest } from "../spec/digest.ts";
import { type DirectoryNode, mergeLayers, type Node } from "../spec/file-view.ts";
import type { ImageConfig } from "../spec/image-config.ts";
import { collectLayerFiles, type LayerFiles } from "../spec/layer-files.ts";
import { compressionOf } from "../spec/media-type.ts";
import { type ContentSink, type ReadEntry, TarError } from "../spec/tar-reader.ts";

/** An image whose files can be read. */
export interface ReadableImage {
  /** How messages name it. */
  readonly name: string;
  readonly config: ImageConfig;
  readonly layers: readonly LocatedLayer[];
}

/** Everything about one path that a container can notice; times are not, since no two builds have the same. */
export interface FileFacts {
  readonly type: string;
  readonly mode: string | undefined;
  readonly owner: string;
  readonly target: string | undefined;
  readonly device: string | undefined;
  readonly content: Digest | undefined;
  readonly xattrs: string;
  /** The instruction whose layer has the entry, as the history words it. */
  readonly madeBy: string | undefined;
}

/** The merged tree of an image, by path, and its config. */
export interface ImageContents {
  readonly name: string;
  readonly config: ImageConfig;
  readonly files: ReadonlyMap<string, FileFacts>;
}

/** What was read of a layer: its entries, and what the entries themselves do not keep. */
interface LayerContents {
  readonly files: LayerFiles;
  readonly details: ReadonlyMap<string, EntryDetail>;
}

interface EntryDetail {
  readonly type: string;
  readonly device: string | undefined;
  content: Digest | undefined;
  readonly xattrs: string;
}

/** Layers that were read, by diff ID: images that are compared share most of theirs. */
export type LayerStore = Map<Digest, Promise<LayerContents>>;

/**
 * Reads the merged tree of an image. Layers are streamed one after the other, so memory grows with the number of
 * files and not with their size.
 *
 * @throws DIGEST_MISMATCH if a layer is not what the config says, REGISTRY_PROTOCOL if one cannot be read
 */
export async function readImageContents(
  { name, config, layers }: ReadableImage,
  { store, signal }: { store: LayerStore } & CallOptions,
): Promise<ImageContents> {
  const read: LayerContents[] = [];
  for (const layer of layers) {
    const pending = store.get(layer.diffId) ?? readLayer(layer, { name, signal });
    store.set(layer.diffId, pending);
    read.push(await pending);
  }
  const files = new Map<string, FileFacts>();
  const instructions = instructionsOf(config);
  collect(mergeLayers(read.map((layer) => layer.files)), { above: "", files, read, instructions });
  return { name, config, files };
}

/** The instruction of each layer, lowest first; nothing is known where the history does not fit the layers. */
function instructionsOf(config: ImageConfig): readonly (string | undefined)[] {
  const fits = layerTimes(config).some((time) => time !== undefined);
  const made = config.history.filter((entry) => entry.empty_layer !== true).map((entry) => entry.created_by);
  return fits ? made : [];
}

async function readLayer(
  { diffId, descriptor, from }: LocatedLayer,
  { name, signal }: { name: string } & CallOptions,
): Promise<LayerContents> {
  const unreadable = (why: string) =>
    new LayerwiseError("REGISTRY_PROTOCOL", `could not read the layer ${descriptor.digest} of ${name}: ${why}`);
  const compression = compressionOf(descriptor.mediaType);
  if (compression === undefined) throw unreadable(`its media type is ${descriptor.mediaType}`);
  if (!canDecompress(compression)) throw unreadable(`${compression} needs a newer Node`);
  const details = new Map<string, EntryDetail>();
  const collector = collectLayerFiles((entry) => observe(entry, details));
  const digester = startDigest();
  try {
    for await (const chunk of decompressed(from.fetchBlob(descriptor, { signal }), compression)) {
      digester.update(chunk);
      collector.write(chunk);
    }
    const files = { diffId, ...collector.end() };
    if (digester.digest() === diffId) return { files, details };
  } catch (error) {
    throw error instanceof TarError ? unreadable(error.message) : error;
  }
  throw new LayerwiseError(
    "DIGEST_MISMATCH",
    `could not use the layer ${descriptor.digest} of ${name}: uncompressed it is not ${diffId}, as the config says`,
  );
}

/** A hard link is its target: one file of several names. */
function observe(entry: ReadEntry, details: Map<string, EntryDetail>): ContentSink | undefined {
  const { path, kind, device, xattrs, target } = entry;
  const linked = kind === "hardlink" ? details.get(target ?? "") : undefined;
  if (linked !== undefined) {
    details.set(path, linked);
    return undefined;
  }
  const detail: EntryDetail = {
    type: kind ?? "unknown",
    device,
    content: kind === "file" ? emptyDigest : undefined,
    xattrs: shownXattrs(xattrs),
  };
  details.set(path, detail);
  if (kind !== "file" || entry.size === 0) return undefined;
  const digester = startDigest();
  return {
    data: (chunk) => void digester.update(chunk),
    end: () => {
      detail.content = digester.digest();
    },
  };
}

const emptyDigest: Digest = digestOf("");

function shownXattrs(xattrs: ReadEntry["xattrs"]): string {
  const shown = [...(xattrs ?? [])].map(([name, value]) => `${name}=${Buffer.from(value).toString("hex")}`);
  return shown.sort().join(" ");
}

interface Collecting {
  readonly above: string;
  readonly files: Map<string, FileFacts>;
  readonly read: readonly LayerContents[];
  readonly instructions: readonly (string | undefined)[];
}

function collect(directory: DirectoryNode, { above, ...rest }: Collecting): void {
  for (const [name, node] of directory.children) {
    const path = above === "" ? name : `${above}/${name}`;
    rest.files.set(path, factsOf(node, rest));
    if (node.kind === "directory") collect(node, { above: path, ...rest });
  }
}

function factsOf(node: Node, { read, instructions }: Pick<Collecting, "read" | "instructions">): FileFacts {
  const { origin } = node;
  // A directory that only paths below it tell of.
  if (origin === undefined) return { ...unknownDirectory };
  const { entry, layer } = origin;
  const detail = read[layer]?.details.get(entry.path);
  return {
    type: detail?.type ?? node.kind,
    mode: entry.kind === "symlink" ? undefined : entry.mode.toString(8).padStart(4, "0"),
    owner: `${entry.uid}:${entry.gid}`,
    target: entry.kind === "symlink" ? entry.target : undefined,
    device: detail?.device,
    content: detail?.content,
    xattrs: detail?.xattrs ?? "",
    madeBy: instructions[layer],
  };
}

const unknownDirectory: FileFacts = {
  type: "directory",
  mode: "0755",
  owner: "0:0",
  target: undefined,
  device: undefined,
  content: undefined,
  xattrs: "",
  madeBy: undefined,
};
