// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "./error.ts";
import { gatherDigests, type LockableImage, lockableImages, notLocked } from "./plan/locked-bases.ts";
import { Refusal } from "./plan/refusal.ts";
import { describeReason, type RouteReason } from "./plan/route.ts";
import { wantedNames } from "./plan/wanted-images.ts";
import type { CallOptions, Ports } from "./ports.ts";
import { type DockerfileOptions, readDockerfile } from "./read-dockerfile.ts";
import type { LockedBases } from "./spec/lock-file.ts";
import type { Platform } from "./spec/platform.ts";
import { formatRepository } from "./spec/reference.ts";

/** What the images of a build depend on. */
export interface LockOptions extends DockerfileOptions, CallOptions {
  readonly target: string | undefined;
  readonly clientArgs?: ReadonlyMap<string, string> | undefined;
  readonly buildPlatform: Platform;
  readonly platform: Platform | undefined;
}

/** The names of the images that a lock file of this build must have; asks no registry. */
export function lockedNames(options: LockOptions): readonly string[] {
  return imagesOf(options).map(({ name }) => name);
}

/** The images of a build, with what their tags point to now. */
export async function lockBases(options: LockOptions, { repositories }: Ports): Promise<LockedBases> {
  return await gatherDigests(imagesOf(options), { repositories, signal: options.signal });
}

/** LOCK_OUT_OF_DATE if the build reads an image that its lock file does not have. */
export function checkLocked(options: LockOptions, locked: LockedBases): void {
  const missing = lockedNames(options).find((name) => !locked.has(name));
  if (missing !== undefined) throw notLocked(missing);
}

/**
 * Flags that have an engine take the locked images, where it gets the Dockerfile as it is.
 * https://docs.docker.com/reference/cli/docker/buildx/build/#build-context
 */
export function lockFlags(options: LockOptions, locked: LockedBases): readonly string[] {
  return imagesOf(options).map(({ name, reference }) => {
    return `--build-context=${name}=docker-image://${formatRepository(reference)}@${locked.get(name)}`;
  });
}

function imagesOf(options: LockOptions): readonly LockableImage[] {
  const { dockerfile, wholeReason } = readDockerfile(options);
  // Directories under names of their own leave the other names as they are.
  if (dockerfile.stages.length === 0 && wholeReason !== undefined) throw unknownImages(wholeReason);
  const { buildPlatform, target, named, directories, otherContexts = [] } = options;
  const targetPlatform = options.platform ?? buildPlatform;
  const buildArgs = new Map([...(options.clientArgs ?? []), ...options.buildArgs]);
  try {
    const names = wantedNames(dockerfile, { buildArgs, buildPlatform, targetPlatform, target, directories });
    return lockableImages(names, { named, otherContexts: [...otherContexts, ...(directories?.keys() ?? [])] });
  } catch (error) {
    if (error instanceof Refusal) throw unknownImages(error.reason);
    throw error;
  }
}

function unknownImages(reason: RouteReason): LayerwiseError {
  return new LayerwiseError(
    "LOCK_UNSUPPORTED",
    `could not find out which images the Dockerfile reads: ${describeReason(reason)}`,
    { at: reason.at, hint: "name the images by digest in the Dockerfile, or change what the reason names" },
  );
}
