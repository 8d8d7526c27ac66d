// SPDX-License-Identifier: Apache-2.0
import type { CallOptions, Repository } from "../ports.ts";
import { encodeTombstone } from "../spec/checkpoint.ts";
import { digestOf } from "../spec/digest.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { pushEmpty } from "./push-blobs.ts";

/**
 * How a checkpoint went: its manifest is removed, or its tag points to a manifest that says it is no checkpoint, since
 * many registries let nobody remove anything; or there was none.
 */
export type Pruned = "removed" | "overwritten" | "absent";

/** Sees to it that no build uses the checkpoint of this tag any more. */
export async function pruneCheckpoint(cache: Repository, tag: string, { signal }: CallOptions = {}): Promise<Pruned> {
  const stored = await cache.fetchManifest(tag, { signal });
  if (stored === undefined) return "absent";
  if (await cache.removeManifest(stored.digest, { signal })) return "removed";
  await pushEmpty({ to: cache, signal });
  const bytes = encodeTombstone();
  await cache.pushManifest(tag, { mediaType: mediaTypes.oci.manifest, digest: digestOf(bytes), bytes }, { signal });
  return "overwritten";
}
