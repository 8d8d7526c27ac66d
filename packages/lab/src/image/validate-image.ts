// SPDX-License-Identifier: Apache-2.0
import { type Compression, decompressed } from "./decompressed.ts";
import { type ManifestDocument, mediaTypes, sha256 } from "./document.ts";
import type { Claims, Image, ImageDocument, ImageLayer } from "./image.ts";
import { cleanPath } from "./layer-entries.ts";
import { measured } from "./measured.ts";
import { readTar } from "./tar-reader.ts";

/** What to look at beside what every image must have. */
export interface ValidateOptions {
  /**
   * The first layer, from 0, in which every entry must come after entries for all directories above it. Stores of
   * Docker would else give those directories another owner and mode. None by default, since a base may lack some.
   */
  readonly completeFrom?: number | undefined;
}

/**
 * Checks all that an image says about itself: every digest and size, every diff ID, media types, the number of layers
 * and of history entries, and that every layer is a well-formed tar.
 *
 * @returns what is wrong, one sentence each; nothing if the image is valid
 */
export async function validateImage(image: Image, options: ValidateOptions = {}): Promise<readonly string[]> {
  const problems = image.documents.flatMap(documentProblems);
  problems.push(...configProblems(image));
  for (const [index, layer] of image.layers.entries()) {
    const diffId = image.config.rootfs?.diff_ids[index];
    const isComplete = index >= (options.completeFrom ?? Number.POSITIVE_INFINITY);
    const found = await layerProblems(layer, { diffId, isComplete });
    problems.push(...found.map((problem) => `layer ${index}: ${problem}`));
  }
  return problems;
}

function documentProblems({ what, bytes, claims }: ImageDocument): string[] {
  const problems = measureProblems({ digest: sha256(bytes), size: bytes.length }, claims);
  const families = [mediaTypes.docker[what], mediaTypes.oci[what]];
  if (claims.mediaType !== undefined && !families.includes(claims.mediaType)) {
    problems.push(`its media type is ${claims.mediaType}`);
  }
  if (what !== "config") {
    const { schemaVersion, mediaType } = JSON.parse(bytes.toString("utf8")) as ManifestDocument;
    if (schemaVersion !== 2) problems.push(`its schema version is ${schemaVersion}`);
    // OCI may leave it out; Docker's readers tell the documents apart by it.
    const isNeeded = claims.mediaType === mediaTypes.docker[what];
    if (mediaType === undefined ? isNeeded : claims.mediaType !== undefined && mediaType !== claims.mediaType) {
      problems.push(`it says of itself that its media type is ${mediaType}, and is stored as ${claims.mediaType}`);
    }
  }
  return problems.map((problem) => `${what}: ${problem}`);
}

function configProblems({ config, layers }: Image): readonly string[] {
  const problems: string[] = [];
  if (!config.os || !config.architecture) problems.push("config: it does not name its platform");
  if (config.rootfs?.type !== "layers") problems.push(`config: its root file system is ${config.rootfs?.type}`);
  const diffIds = config.rootfs?.diff_ids.length ?? 0;
  if (diffIds !== layers.length) problems.push(`config: it has ${diffIds} diff IDs for ${layers.length} layers`);
  const made = config.history?.filter((entry) => !entry.empty_layer).length ?? layers.length;
  if (made !== layers.length) problems.push(`config: its history has ${made} layers, not ${layers.length}`);
  return problems;
}

interface LayerExpectation {
  readonly diffId: string | undefined;
  readonly isComplete: boolean;
}

async function layerProblems(layer: ImageLayer, expected: LayerExpectation): Promise<readonly string[]> {
  const [blob, diff] = [
    { digest: "", size: 0 },
    { digest: "", size: 0 },
  ];
  const problems: string[] = [];
  try {
    const { compression, tar } = await decompressed(measured(layer.open(), blob));
    problems.push(...mediaTypeProblems(layer.claims.mediaType, compression));
    problems.push(...(await tarProblems(measured(tar, diff), expected.isComplete)));
  } catch (error) {
    problems.push(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return [...problems, ...(await blobProblems(layer))];
  }
  problems.push(...measureProblems(blob, layer.claims));
  if (diff.digest !== expected.diffId) problems.push(`its diff ID is ${diff.digest}, and not ${expected.diffId}`);
  return problems;
}

/** Whether the damage is one that a digest would have told. */
async function blobProblems(layer: ImageLayer): Promise<readonly string[]> {
  const blob = { digest: "", size: 0 };
  try {
    for await (const _ of measured(layer.open(), blob));
  } catch {
    return []; // There is no blob to speak of.
  }
  return measureProblems(blob, layer.claims);
}

async function tarProblems(tar: AsyncIterable<Uint8Array>, isComplete: boolean): Promise<readonly string[]> {
  const problems: string[] = [];
  const directories = new Set<string>([""]);
  for await (const entry of readTar(tar)) {
    const path = cleanPath(entry.path);
    const parent = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
    if (isComplete && !directories.has(parent)) problems.push(`${path} comes without an entry for ${parent}`);
    if (entry.type === "directory") directories.add(path);
    else directories.delete(path);
  }
  return problems;
}

function mediaTypeProblems(mediaType: string | undefined, compression: Compression): readonly string[] {
  if (mediaType === undefined) return [];
  const suffix = { none: /[.]tar$/, gzip: /[.+]gzip$/, zstd: /[.+]zstd$/ }[compression];
  const isLayer = /^application\/vnd\.(oci\.image\.layer\.v1|docker\.image\.rootfs\.diff)\.tar/.test(mediaType);
  return isLayer && suffix.test(mediaType) ? [] : [`its media type is ${mediaType}, its compression ${compression}`];
}

function measureProblems(found: { readonly digest: string; readonly size: number }, claims: Claims): string[] {
  const problems: string[] = [];
  if (claims.digest !== undefined && claims.digest !== found.digest) {
    problems.push(`its digest is ${found.digest}, and not ${claims.digest}`);
  }
  if (claims.size !== undefined && claims.size !== found.size) {
    problems.push(`its size is ${found.size}, and not ${claims.size}`);
  }
  return problems;
}
