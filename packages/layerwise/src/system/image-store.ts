// SPDX-License-Identifier: Apache-2.0
import { mkdir, utimes } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hasCode, isLayerwiseError, LayerwiseError } from "../error.ts";
import type { CallOptions, Clock, Repository } from "../ports.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { type Digest, hexOf, isDigest } from "../spec/digest.ts";
import { parseRepositoryName, type RepositoryName } from "../spec/reference.ts";
import { type BlobPlaces, openBlobPlaces } from "./blob-places.ts";
import { diskError } from "./disk-error.ts";
import { keepInLayout, readLayoutIndex, tagOfEntry } from "./layout-index.ts";
import { openLayout } from "./oci-layout.ts";
import { cleanStore } from "./store-cleaning.ts";

/** A name in a store and the manifest that it stands for. */
export interface StoredName {
  readonly name: string;
  readonly digest: Digest;
}

/**
 * Images on this machine without an engine: an OCI layout whose blobs may be elsewhere. What a registry has is not
 * copied; the store knows where it is. Processes may use a store at the same time.
 */
export interface ImageStore {
  /** The images; tags are their names in full, and those of checkpoints. */
  readonly repository: Repository;
  names(): Promise<readonly StoredName[]>;
  /** Takes a name from its image; false if there is none of this name. */
  untag(name: string, options?: CallOptions): Promise<boolean>;
  /** Remembers that a repository of a registry holds a blob. */
  note(digest: Digest, repository: string): Promise<void>;
  /** Removes what was not used for a time in milliseconds; looks at most once a day. */
  clean(keepFor: number, options?: CallOptions): Promise<void>;
}

/** What a store depends on. */
export interface StoreOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** Opens a repository of a registry, with the credentials of a folder of Docker's or with the usual ones. */
  readonly open: (name: RepositoryName, dockerConfig: string | undefined) => Repository;
  /** The folder of Docker's config that is noted with places; undefined: the usual one. */
  readonly dockerConfig: string | undefined;
}

/** Opens a store; its directory is made when it is first written to. */
export function openImageStore({ directory: path, clock, open, dockerConfig }: StoreOptions): ImageStore {
  const directory = resolve(path);
  const places = openBlobPlaces(join(directory, "places"));
  const layout = openLayout(directory, { isElsewhere: async (digest) => (await places.of(digest)).length > 0 });
  const touch = async (digest: Digest) => {
    const now = clock.now() / 1000;
    // Only what is in the directory has an age there.
    await utimes(join(directory, "blobs", "sha256", hexOf(digest)), now, now).catch(() => undefined);
  };
  // What images hold is nobody else's business on a machine that is shared.
  const make = async () => await mkdir(directory, { recursive: true, mode: 0o700 });
  const note = async (digest: Digest, name: string) =>
    await onStore(directory, async () => {
      await make();
      await places.note(digest, { repository: parseRepositoryName(name), dockerConfig });
    });

  const repository: Repository = {
    name: "layerwise-store",
    registry: `store:${directory}`,
    isLocal: true,
    takesReferences: true,
    async fetchManifest(reference, call) {
      const manifest = await layout.fetchManifest(reference, call);
      if (manifest !== undefined) await touch(manifest.digest);
      return manifest;
    },
    async hasBlob(digest, call) {
      if (await layout.hasBlob(digest, call)) {
        await touch(digest);
        return true;
      }
      return (await places.of(digest)).length > 0;
    },
    fetchBlob: (descriptor, call) => fetchFrom({ layout, places, open, directory, touch }, descriptor, call),
    async pushBlob(blob, call) {
      await onStore(directory, make);
      await layout.pushBlob(blob, call);
    },
    async mountBlob({ digest }, from) {
      await note(digest, from.name);
      return true;
    },
    holders: async (digest) => (await places.of(digest)).map((place) => open(place.repository, undefined)),
    pushManifest: (reference, manifest, call) => layout.pushManifest(reference, manifest, call),
    removeManifest: (digest, call) => layout.removeManifest(digest, call),
  };

  return {
    repository,
    note,
    async names() {
      return (await readLayoutIndex(directory)).flatMap((entry) => {
        const name = tagOfEntry(entry);
        return name === undefined || !isDigest(entry.digest) ? [] : [{ name, digest: entry.digest }];
      });
    },
    async untag(name, call) {
      const isThere = (await readLayoutIndex(directory)).some((entry) => tagOfEntry(entry) === name);
      if (isThere) await keepInLayout(directory, (entry) => tagOfEntry(entry) !== name, call);
      return isThere;
    },
    clean: (keepFor, call) => cleanStore({ directory, places, now: clock.now(), keepFor, ...call }),
  };
}

interface Source extends Pick<StoreOptions, "open"> {
  readonly layout: Repository;
  readonly places: BlobPlaces;
  readonly directory: string;
  readonly touch: (digest: Digest) => Promise<void>;
}

/** A blob from the directory, or from the first place that still has it. */
async function* fetchFrom(
  { layout, places, open, directory, touch }: Source,
  descriptor: Descriptor,
  call: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const { digest } = descriptor;
  if (await layout.hasBlob(digest, call)) {
    await touch(digest);
    yield* layout.fetchBlob(descriptor, call);
    return;
  }
  const known = await places.of(digest);
  const candidates = known.flatMap(({ repository, dockerConfig }) => {
    const usual = open(repository, undefined);
    return dockerConfig === undefined ? [usual] : [open(repository, dockerConfig), usual];
  });
  let failure: unknown;
  for (const candidate of candidates) {
    let hasBegun = false;
    try {
      for await (const chunk of candidate.fetchBlob(descriptor, call)) {
        hasBegun = true;
        yield chunk;
      }
      return;
    } catch (error) {
      if (hasBegun || !isLayerwiseError(error) || hasCode(error, "CANCELLED")) throw error;
      failure ??= error;
    }
  }
  throw new LayerwiseError("REGISTRY_NOT_FOUND", `could not fetch blob ${digest}: ${whyNot(failure, directory)}`, {
    cause: failure,
    hint: "build the image again; if that does not help, with --no-cache",
  });
}

function whyNot(failure: unknown, directory: string): string {
  return isLayerwiseError(failure) ? failure.message : `it is neither in ${directory} nor known to be in a repository`;
}

async function onStore<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isLayerwiseError(error)) throw error;
    const { code, message } = diskError(directory, error);
    throw new LayerwiseError(code, message, {
      cause: error,
      hint: "name a folder that this user may write, and that has space, with LAYERWISE_STORE",
    });
  }
}
