// SPDX-License-Identifier: Apache-2.0
import { LabError } from "../host/lab-error.ts";
import { decompressed } from "./decompressed.ts";
import type { ImageLayer } from "./image.ts";
import { measured } from "./measured.ts";
import type { TarEntry } from "./tar-entry.ts";
import { readTar } from "./tar-reader.ts";

/** What one entry of a layer says. */
export type LayerEntry =
  /** A name of a lower layer goes. */
  | { readonly kind: "whiteout"; readonly path: string }
  /** All that lower layers have in a directory goes. */
  | { readonly kind: "opaque"; readonly path: string }
  | { readonly kind: "entry"; readonly path: string; readonly entry: TarEntry; readonly content: string | undefined };

const whiteoutPrefix = ".wh.";
const opaqueName = ".wh..wh..opq";
/** Names of a long gone store's own files, which engines pass over. */
const storePrefix = ".wh..wh.";

/**
 * Reads a layer's entries with the digests of their files.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md#whiteouts
 */
export async function* layerEntries(layer: ImageLayer): AsyncGenerator<LayerEntry> {
  const { tar } = await decompressed(layer.open());
  for await (const entry of readTar(tar)) {
    const path = cleanPath(entry.path);
    const slash = path.lastIndexOf("/");
    const [directory, name] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
    if (name === opaqueName) yield { kind: "opaque", path: directory };
    else if (name.startsWith(storePrefix)) continue;
    else if (name.startsWith(whiteoutPrefix)) {
      const gone = name.slice(whiteoutPrefix.length);
      yield { kind: "whiteout", path: directory === "" ? gone : `${directory}/${gone}` };
    } else yield { kind: "entry", path, entry, content: await contentOf(entry) };
  }
}

/**
 * A path of a layer without slashes at its ends; the root is the empty path.
 *
 * @throws {LabError} if it leads out of the image
 */
export function cleanPath(path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw new LabError(`could not read a layer: ${path} leads out of the image`);
  return names.join("/");
}

async function contentOf(entry: TarEntry): Promise<string | undefined> {
  if (entry.type !== "file") return undefined;
  const measure = { digest: "", size: 0 };
  for await (const _ of measured(entry.content(), measure));
  return measure.digest;
}
