// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { CallOptions } from "../ports.ts";
import { type Digest, hexOf, isDigest } from "../spec/digest.ts";
import type { BlobPlaces } from "./blob-places.ts";
import { readJson } from "./json.ts";
import { keepInLayout, readLayoutIndex } from "./layout-index.ts";

/** What is cleaned, and what counts as old. */
export interface Cleaning extends CallOptions {
  readonly directory: string;
  readonly places: BlobPlaces;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds. */
  readonly keepFor: number;
}

/** Milliseconds between two looks: reading all manifests costs more than a day's growth. */
const lookEvery = 24 * 60 * 60 * 1000;

/**
 * Removes names that were not used for a time, and then what nothing refers to any more and is as old. Whoever uses a
 * blob makes it young first, so that nothing vanishes under another process.
 */
export async function cleanStore(cleaning: Cleaning): Promise<void> {
  const { directory, places, now, keepFor } = cleaning;
  const marker = join(directory, "cleaned");
  const last = await timeOf(marker);
  if (last !== undefined && now - last < Math.min(lookEvery, keepFor)) return;
  if ((await timeOf(join(directory, "index.json"))) === undefined) return;
  await writeFile(marker, "");
  const isOld = async (path: string) => {
    const time = await timeOf(path);
    return time !== undefined && now - time >= keepFor;
  };
  await removeOldNames(cleaning, isOld);
  const used = await usedDigests(directory);
  const blobs = join(directory, "blobs", "sha256");
  for (const name of await readdir(blobs)) {
    const digest = `sha256:${name}`;
    if (isDigest(digest) && used.has(digest)) continue;
    if (await isOld(join(blobs, name))) await rm(join(blobs, name), { force: true });
  }
  const unused: Digest[] = [];
  for (const digest of await places.digests()) {
    if (!used.has(digest) && (await isOld(join(directory, "places", hexOf(digest))))) unused.push(digest);
  }
  await places.forget(unused);
}

async function removeOldNames(
  { directory, signal }: Cleaning,
  isOld: (path: string) => Promise<boolean>,
): Promise<void> {
  const old = new Set<string>();
  for (const { digest } of await readLayoutIndex(directory)) {
    if (isDigest(digest) && (await isOld(blobPath(directory, digest)))) old.add(digest);
  }
  if (old.size > 0) await keepInLayout(directory, ({ digest }) => !old.has(digest), { signal });
}

const referring = v.object({
  config: v.optional(v.object({ digest: v.string() })),
  layers: v.optional(v.array(v.object({ digest: v.string() })), []),
  manifests: v.optional(v.array(v.object({ digest: v.string() })), []),
});

/** Everything that the names which are left refer to. */
async function usedDigests(directory: string): Promise<ReadonlySet<Digest>> {
  const used = new Set<Digest>();
  const waiting = (await readLayoutIndex(directory)).map(({ digest }) => digest);
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (!isDigest(digest) || used.has(digest)) continue;
    used.add(digest);
    const parsed = v.safeParse(referring, readJson(await readFile(blobPath(directory, digest)).catch(() => "")));
    if (!parsed.success) continue;
    const { config, layers, manifests } = parsed.output;
    for (const blob of [...(config === undefined ? [] : [config]), ...layers]) {
      if (isDigest(blob.digest)) used.add(blob.digest);
    }
    waiting.push(...manifests.map((one) => one.digest));
  }
  return used;
}

function blobPath(directory: string, digest: Digest): string {
  return join(directory, "blobs", "sha256", hexOf(digest));
}

/** When a file was last written or used, in milliseconds since 1970; undefined if it is not there. */
async function timeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.mtimeMs;
}
