// SPDX-License-Identifier: Apache-2.0
import type { Emit } from "../event.ts";
import type { Repositories, Repository } from "../ports.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { formatRepository } from "../spec/reference.ts";

/**
 * Gives out each repository once and remembers which blobs it is known to hold, so that planning, publishing and
 * saving do not ask for or send the same blob again. Says which blobs really moved.
 */
export function rememberBlobs(repositories: Repositories, emit: Emit): Repositories {
  const opened = new Map<string, Repository>();
  const once = (key: string, open: () => Repository): Repository => {
    const found = opened.get(key) ?? remembering(open(), emit);
    opened.set(key, found);
    return found;
  };
  return {
    inRegistry: (name) => once(formatRepository(name), () => repositories.inRegistry(name)),
    inLayout: (path) => once(`layout ${path}`, () => repositories.inLayout(path)),
  };
}

function remembering(inner: Repository, emit: Emit): Repository {
  const held = new Set<string>();
  const note = (kind: "blob-mounted" | "blob-uploaded", { digest, size }: Descriptor) => {
    held.add(digest);
    emit({ kind, digest, bytes: size, repository: inner.name });
  };
  return {
    name: inner.name,
    registry: inner.registry,
    isLocal: inner.isLocal,
    fetchManifest: (reference, options) => inner.fetchManifest(reference, options),
    pushManifest: (reference, manifest, options) => inner.pushManifest(reference, manifest, options),
    removeManifest: (digest, options) => inner.removeManifest(digest, options),
    async hasBlob(digest, options) {
      if (held.has(digest)) return true;
      const has = await inner.hasBlob(digest, options);
      if (has) held.add(digest);
      return has;
    },
    async *fetchBlob(descriptor, options) {
      yield* inner.fetchBlob(descriptor, options);
      // Only a read to the end has shown that all of it is there.
      held.add(descriptor.digest);
    },
    async pushBlob(blob, options) {
      if (held.has(blob.descriptor.digest)) return;
      await inner.pushBlob(blob, options);
      note("blob-uploaded", blob.descriptor);
    },
    async mountBlob(descriptor, from, options) {
      const mounted = await inner.mountBlob(descriptor, from, options);
      if (mounted) note("blob-mounted", descriptor);
      return mounted;
    },
  };
}
