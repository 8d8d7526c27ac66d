// SPDX-License-Identifier: Apache-2.0
import { hasCode, isLayerwiseError } from "../error.ts";
import type { CallOptions, Repository } from "../ports.ts";
import { type BuildRecord, recordTag } from "../spec/build-record.ts";
import { type Digest, isDigest } from "../spec/digest.ts";
import { decodeRecordManifest } from "../spec/record-document.ts";
import type { BuildBefore } from "./compare-builds.ts";

/** Tags of a repository that may point to the build before. */
export interface BuildPlace {
  readonly repository: Repository;
  /** In the order in which they were given. */
  readonly tags: readonly string[];
}

/** Where records are. */
export interface Recording extends CallOptions {
  readonly cache: Repository;
}

/** The tag of a build on the branch that others start from. */
const defaultTag = "latest";

/**
 * Finds the build before: the image that one of the tags points to now, or else the one under `latest`. What cannot be
 * read is no reason to fail.
 */
export async function recallBuildBefore({ repository, tags }: BuildPlace, recording: Recording): Promise<BuildBefore> {
  const wanted = tagsInOrder(tags);
  for (const tag of wanted) {
    const name = `${repository.name}:${tag}`;
    const found = await unlessUnreadable(async () => await repository.fetchManifest(tag, recording));
    if (typeof found === "string") return { kind: "no-record", reference: name, digest: "", why: found };
    if (found !== undefined) return await recallRecord({ digest: found.digest, name }, recording);
  }
  return { kind: "no-build", looked: wanted.map((tag) => `${repository.name}:${tag}`) };
}

/**
 * The tags to ask for, in order. A build that is to be `latest` follows what is `latest` now; of others the last one
 * given comes first, since commands name the commit, which no build had before, ahead of the branch. Pure.
 */
export function tagsInOrder(tags: readonly string[]): readonly string[] {
  const backwards = [...tags].reverse();
  const floating = backwards.filter((tag) => tag === defaultTag);
  return [...new Set([...floating, ...backwards, defaultTag])];
}

/** Finds the record of the build that made an image. */
export async function recallRecord(
  { digest, name }: { digest: Digest; name: string },
  { cache, signal }: Recording,
): Promise<BuildBefore> {
  const tag = recordTag(digest);
  const missing = (why: string): BuildBefore => ({ kind: "no-record", reference: name, digest, why });
  const record = await unlessUnreadable(async () => {
    const stored = await cache.fetchManifest(tag, { signal });
    if (stored === undefined) return `${cache.name}:${tag} is not there`;
    return decodeRecordManifest(stored.bytes, { mediaType: stored.mediaType, source: `${cache.name}:${tag}` });
  });
  if (record === undefined || typeof record === "string") return missing(record ?? "");
  if (record.image !== digest) return missing(`${cache.name}:${tag} is the record of another image`);
  return { kind: "build", record, name };
}

/** Most builds that a history goes back. */
const maxHistory = 1_000;

/** Builds, the newest first, and what there is instead of a record behind the last one that has one. */
export interface History {
  readonly builds: readonly BuildRecord[];
  readonly end: Exclude<BuildBefore, { kind: "build" }> | undefined;
}

/** The builds before, from one of them on. */
export async function recallHistory(
  newest: BuildBefore,
  { cache, signal, last }: { cache: Repository | undefined; last: number } & CallOptions,
): Promise<History> {
  let found = newest;
  const builds: BuildRecord[] = [];
  const seen = new Set<string>();
  while (found.kind === "build" && builds.length < Math.min(last, maxHistory)) {
    builds.push(found.record);
    const { image, previous } = found.record;
    seen.add(image ?? "");
    const isKnown = previous !== undefined && isDigest(previous) && !seen.has(previous);
    if (!isKnown || cache === undefined) return { builds, end: undefined };
    found = await recallRecord({ digest: previous, name: previous }, { cache, signal });
  }
  return { builds, end: found.kind === "build" ? undefined : found };
}

async function unlessUnreadable<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!isLayerwiseError(error) || hasCode(error, "CANCELLED")) throw error;
    return error.message;
  }
}
