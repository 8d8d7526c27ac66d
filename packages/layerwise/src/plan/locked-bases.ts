// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import type { CallOptions, Repositories } from "../ports.ts";
import type { Digest } from "../spec/digest.ts";
import type { LockedBases } from "../spec/lock-file.ts";
import { formatRepository, parseReference, type Reference } from "../spec/reference.ts";
import type { NamedImages } from "./gather-bases.ts";
import { contextName } from "./named-contexts.ts";

/** An image of a Dockerfile that a lock file is about: its tag may point to another image tomorrow. */
export interface LockableImage {
  /** As the Dockerfile has it, variables expanded. */
  readonly name: string;
  /** Where it is: the name itself, or what `--build-context` says that it stands for. */
  readonly reference: Reference;
}

/** Which images are locked. Those that are named by digest, or that are no image of a registry, need no lock. */
export function lockableImages(
  names: readonly string[],
  { named, otherContexts }: { named: NamedImages; otherContexts: readonly string[] },
): readonly LockableImage[] {
  return names.flatMap((name) => {
    if (name === "scratch" || otherContexts.includes(contextName(name))) return [];
    const stands = named.get(contextName(name));
    if (stands === undefined) {
      const reference = parseReference(name);
      return reference.digest === undefined ? [{ name, reference }] : [];
    }
    if (stands.location.kind === "layout" || stands.reference.startsWith("sha256:")) return [];
    return [{ name, reference: { ...stands.location.name, tag: stands.reference } }];
  });
}

/** What the tags of images point to now: the digest of the index, if there is one. */
export async function gatherDigests(
  images: readonly LockableImage[],
  { repositories, signal }: { repositories: Repositories } & CallOptions,
): Promise<LockedBases> {
  const found = await Promise.all(
    images.map(async ({ name, reference }): Promise<[string, Digest]> => {
      const tag = reference.tag ?? "latest";
      const manifest = await repositories.inRegistry(reference).fetchManifest(tag, { signal });
      if (manifest !== undefined) return [name, manifest.digest];
      const place = `${formatRepository(reference)}:${tag}`;
      throw new LayerwiseError("REGISTRY_NOT_FOUND", `could not lock the image ${name}: ${place} is not there`, {
        hint: "check the name and the tag",
      });
    }),
  );
  return new Map(found);
}

/** The error of a build that reads an image which its lock file does not have. */
export function notLocked(name: string): LayerwiseError {
  return new LayerwiseError("LOCK_OUT_OF_DATE", `could not use the lock file: it does not have the image ${name}`, {
    hint: "run layerwise lock with the same Dockerfile, target and build arguments",
    details: { image: name },
  });
}
