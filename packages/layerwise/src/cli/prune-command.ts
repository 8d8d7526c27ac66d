// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import { type Pruned, pruneCheckpoint } from "../publish/prune-checkpoint.ts";
import { cacheTagPrefix, checkpointTag } from "../spec/checkpoint.ts";
import { isDigest } from "../spec/digest.ts";
import type { Wired } from "../wire.ts";
import { openCacheRepository } from "./open-build.ts";
import type { RawFlags } from "./options.ts";
import type { Surroundings } from "./run.ts";

const words: Readonly<Record<Pruned, string>> = {
  removed: "removed",
  overwritten: "made unusable (the registry lets nobody remove it)",
  absent: "not there",
};

/** `layerwise prune`: takes checkpoints away by key and says what became of each. */
export async function pruneCommand(
  { key: keys = [], cacheRepo }: RawFlags,
  { wired, around }: { wired: Wired; around: Surroundings },
): Promise<void> {
  if (keys.length === 0 || cacheRepo === undefined) {
    throw new LayerwiseError("USAGE", `could not prune: there is no ${keys.length === 0 ? "key" : "repository"}`, {
      hint: "give --key KEY, as a build or its report names it, and --cache-repo REPOSITORY",
    });
  }
  const cache = openCacheRepository(cacheRepo, wired.ports.repositories);
  for (const tag of keys.map(tagOf)) {
    const pruned = await pruneCheckpoint(cache, tag, { signal: around.signal });
    around.stdout.write(`${cache.name}:${tag} ${words[pruned]}\n`);
  }
}

/** A key, with or without its algorithm, or a checkpoint's tag. */
function tagOf(text: string): string {
  const digest = text.startsWith("sha256:") ? text : `sha256:${text}`;
  if (isDigest(digest)) return checkpointTag(digest);
  if (new RegExp(`^${cacheTagPrefix}[0-9a-f]{40}$`).test(text)) return text;
  throw new LayerwiseError("USAGE", `could not read --key ${text}`, {
    hint: `give the 64 hexadecimal digits of a cache key, or a tag that begins with ${cacheTagPrefix}`,
  });
}
