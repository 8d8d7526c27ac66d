// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../src/error.ts";
import type { CallOptions, Repository, StoredManifest } from "../src/ports.ts";
import { type Digest, digestOf, isDigest } from "../src/spec/digest.ts";
import { readAll, verified } from "../src/spec/verified.ts";
import { missingReference } from "./missing-reference.ts";

/** A repository in memory, and what it holds. */
export interface MemoryRepository extends Repository {
  readonly blobs: Map<Digest, Uint8Array>;
  /** By tag and by digest. */
  readonly manifests: Map<string, StoredManifest>;
}

/** A registry in memory. */
export interface MemoryRegistry {
  /** The repository of this path; the same one every time. */
  repository(path: string): MemoryRepository;
}

/** Makes a registry in memory that is as strict as a real one. */
export function createMemoryRegistry(host = "memory.example"): MemoryRegistry {
  const repositories = new Map<string, MemoryRepository>();
  return {
    repository(path) {
      const found = repositories.get(path) ?? createRepository({ host, path, repositories });
      repositories.set(path, found);
      return found;
    },
  };
}

interface Parts {
  readonly host: string;
  readonly path: string;
  readonly repositories: ReadonlyMap<string, MemoryRepository>;
}

function createRepository({ host, path, repositories }: Parts): MemoryRepository {
  const name = `${host}/${path}`;
  const blobs = new Map<Digest, Uint8Array>();
  const manifests = new Map<string, StoredManifest>();
  return {
    name,
    registry: host,
    isLocal: false,
    blobs,
    manifests,
    async fetchManifest(reference, call) {
      throwIfCancelled(call);
      return manifests.get(reference);
    },
    async hasBlob(digest, call) {
      throwIfCancelled(call);
      return blobs.has(digest);
    },
    async *fetchBlob(descriptor, call) {
      throwIfCancelled(call);
      const bytes = blobs.get(descriptor.digest);
      if (bytes === undefined) {
        throw new LayerwiseError("REGISTRY_NOT_FOUND", `could not fetch blob ${descriptor.digest} from ${name}`);
      }
      for await (const chunk of verified(streamOf(bytes), descriptor)) {
        throwIfCancelled(call);
        yield chunk;
      }
    },
    async pushBlob({ descriptor, open }, call) {
      throwIfCancelled(call);
      const bytes = await readAll(cancellable(verified(open(), descriptor), call), descriptor.size);
      blobs.set(descriptor.digest, Uint8Array.from(bytes));
    },
    async mountBlob({ digest }, from, call) {
      throwIfCancelled(call);
      const source = from.registry === host ? repositories.get(from.name.slice(host.length + 1)) : undefined;
      const bytes = source?.blobs.get(digest);
      if (bytes === undefined) return false;
      blobs.set(digest, bytes);
      return true;
    },
    async pushManifest(reference, manifest, call) {
      throwIfCancelled(call);
      if (digestOf(manifest.bytes) !== manifest.digest || (isDigest(reference) && reference !== manifest.digest)) {
        throw new LayerwiseError("DIGEST_MISMATCH", `could not push manifest ${reference} to ${name}`);
      }
      const missing = missingReference(manifest.bytes, (digest) => blobs.has(digest) || manifests.has(digest));
      if (missing !== undefined) throw missingBlob(missing, name);
      manifests.set(manifest.digest, manifest);
      manifests.set(reference, manifest);
    },
    async removeManifest(digest, call) {
      throwIfCancelled(call);
      for (const [reference, manifest] of manifests) if (manifest.digest === digest) manifests.delete(reference);
      return true;
    },
  };
}

/** Small pieces, so that readers that take one chunk for everything fail. */
async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const piece = 64 * 1024;
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

async function* cancellable(stream: AsyncIterable<Uint8Array>, call: CallOptions = {}): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    throwIfCancelled(call);
    yield chunk;
  }
}

function throwIfCancelled({ signal }: CallOptions = {}): void {
  if (signal?.aborted === true) throw new LayerwiseError("CANCELLED", "could not use the memory registry: cancelled");
}

function missingBlob(digest: string, name: string): LayerwiseError {
  return new LayerwiseError("REGISTRY_PROTOCOL", `could not push a manifest to ${name}: ${digest} is not there`, {
    details: { registryCodes: ["MANIFEST_BLOB_UNKNOWN"], missingBlob: true },
  });
}
