// SPDX-License-Identifier: Apache-2.0
import { gunzipSync } from "node:zlib";
import { differences, type Image, readContents, readTar, validateImage } from "../../../lab/src/index.ts";
import type { Site } from "./site.ts";

/** Seconds since 1970. */
const started = Math.floor(Date.now() / 1000);

/** Two images of a site's registry. */
export interface ImagePair {
  readonly reference: string;
  /** The engine's own. */
  readonly truth: string;
  /** Whether nothing of it can be older than this build, so that times of files count. */
  readonly isFirst: boolean;
}

/** What is wrong with an image, and in what it differs from the engine's; a line each. */
export async function imageDifferences(
  site: Site,
  { reference, truth, isFirst }: ImagePair,
): Promise<readonly string[]> {
  const [ours, engines] = await Promise.all([site.image(reference), site.image(truth)]);
  const [one, other] = await Promise.all([readContents(ours), readContents(engines)]);
  return [
    ...(await validateImage(ours, { completeFrom: commonLayers(ours, engines) })),
    ...differences(one, other, { history: true }),
    ...(await hiddenDifferences(ours, engines, { times: isFirst })),
  ];
}

/** How many layers are the same ones from below: those of the base at least. */
function commonLayers({ layers }: Image, other: Image): number {
  const first = layers.findIndex(({ claims }, index) => claims.digest !== other.layers[index]?.claims.digest);
  return first === -1 ? layers.length : first;
}

/** What the comparison of trees and runtime configs does not see: the author, hard links, and times of files. */
async function hiddenDifferences(
  ours: Image,
  engines: Image,
  { times }: { times: boolean },
): Promise<readonly string[]> {
  const lines: string[] = [];
  const [author, wanted] = [authorOf(ours), authorOf(engines)];
  if (author !== wanted) lines.push(`author: ${author}, and not ${wanted}`);
  const [own, others] = [await entriesOf(ours, engines), await entriesOf(engines, ours)];
  if (own.links !== others.links) lines.push(`hard links: ${own.links}, and not ${others.links}`);
  if (!times) return lines;
  // An engine leaves out of a layer what is the same below.
  for (const [path, time] of own.times) {
    const wanted = others.times.get(path) ?? time;
    // Here-documents get the time of the build.
    if (wanted >= started) continue;
    if (time !== wanted) lines.push(`time of /${path}: ${time}, and not ${wanted}`);
  }
  return lines;
}

function authorOf({ documents }: Image): string {
  const config = documents.find(({ what }) => what === "config")?.bytes.toString("utf8") ?? "{}";
  return (JSON.parse(config) as { author?: string }).author ?? "";
}

/** The hard links, and the times of files, in the layers that another image does not have. */
async function entriesOf({ layers }: Image, other: Image): Promise<{ links: string; times: Map<string, number> }> {
  const common = new Set(other.layers.map(({ claims }) => claims.digest));
  const links: string[] = [];
  const times = new Map<string, number>();
  for (const [index, { claims, open }] of layers.entries()) {
    if (common.has(claims.digest)) continue;
    const parts: Uint8Array[] = [];
    for await (const part of open()) parts.push(part);
    for await (const { type, path, linkPath, mtime } of readTar(once(gunzipSync(Buffer.concat(parts))))) {
      if (type === "link") links.push(`${index}: ${path} = ${linkPath}`);
      if (type === "file") times.set(path, mtime);
    }
  }
  return { links: links.sort().join(", "), times };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
