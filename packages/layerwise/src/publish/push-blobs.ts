// SPDX-License-Identifier: Apache-2.0
import type { Emit } from "../event.ts";
import type { Blob, CallOptions, Repository } from "../ports.ts";
import type { ImageLayer } from "../produce/image.ts";
import { emptyContent, emptyDescriptor } from "../spec/checkpoint.ts";
import type { Descriptor } from "../spec/descriptor.ts";

/** Blobs that are moved at once into one repository; more only wait for each other. */
const blobsAtOnce = 4;

interface Pushing extends CallOptions {
  readonly to: Repository;
  readonly emit: Emit;
}

/** A blob, and where its bytes can be had. */
type PlacedBlob = Pick<ImageLayer, "descriptor" | "source">;

/** Makes sure that all layers are in a repository: present, mounted from another one, or uploaded. */
export async function pushLayers(layers: readonly PlacedBlob[], pushing: Pushing): Promise<void> {
  const unique = new Map(layers.map((layer) => [layer.descriptor.digest, layer]));
  const waiting = [...unique.values()];
  const worker = async () => {
    for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) await pushLayer(layer, pushing);
  };
  await Promise.all(Array.from({ length: blobsAtOnce }, worker));
}

async function pushLayer({ descriptor, source }: PlacedBlob, { to, emit, signal }: Pushing): Promise<void> {
  const { digest, size: bytes } = descriptor;
  if (to.takesReferences === true && source.kind === "repository" && !source.repository.isLocal) {
    // Where it is now counts more than where it was once.
    await to.mountBlob(descriptor, source.repository, { signal });
    return;
  }
  if (await to.hasBlob(digest, { signal })) {
    emit({ kind: "blob-present", digest, bytes, repository: to.name });
    return;
  }
  if (source.kind === "made") {
    await to.pushBlob(source.blob, { signal });
    return;
  }
  const from = source.repository;
  for (const holder of [from, ...((await from.holders?.(digest)) ?? [])]) {
    const isNear = holder.registry === to.registry && holder.name !== to.name;
    if (isNear && (await to.mountBlob(descriptor, holder, { signal }))) return;
  }
  await to.pushBlob({ descriptor, open: () => from.fetchBlob(descriptor, { signal }) }, { signal });
}

/** Uploads a document that this build made; small, so it is not asked for first. */
export async function pushDocument(
  { descriptor, bytes }: { descriptor: Descriptor; bytes: Uint8Array },
  { to, signal }: Omit<Pushing, "emit">,
): Promise<void> {
  await to.pushBlob(blobOf(descriptor, bytes), { signal });
}

/** Uploads the blob that stands where an artifact has nothing to say, and gives its descriptor. */
export async function pushEmpty(pushing: Omit<Pushing, "emit">): Promise<Descriptor> {
  await pushDocument({ descriptor: emptyDescriptor, bytes: emptyContent }, pushing);
  return emptyDescriptor;
}

/** Bytes in memory as a blob. */
function blobOf(descriptor: Descriptor, bytes: Uint8Array): Blob {
  return {
    descriptor,
    async *open() {
      yield bytes;
    },
  };
}
