// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import type { CallOptions, Revisions } from "../ports.ts";
import type { GitCommit } from "../spec/git-object.ts";

/** Where a build finds its input in a git repository; paths are relative to the top. */
export interface BuildPlace {
  /** The build context; empty for the top. */
  readonly directory: string;
  readonly dockerfile: string;
}

/** Where the input of a build was in one commit. */
export interface PlacedCommit {
  readonly commit: GitCommit;
  /** Undefined if the commit has no such Dockerfile or no such directory. */
  readonly place: BuildPlace | undefined;
}

/**
 * Finds the Dockerfile and the build context in each commit. Where a commit renamed the Dockerfile, older commits are
 * looked at under the older name; a context that was renamed with it is followed too.
 *
 * @param commits newest first
 */
export async function followPlaces(
  revisions: Revisions,
  { commits, start, signal }: { commits: readonly GitCommit[]; start: BuildPlace } & CallOptions,
): Promise<readonly PlacedCommit[]> {
  const placed: PlacedCommit[] = [];
  let place = start;
  let newer: GitCommit | undefined;
  for (const commit of commits) {
    if (newer !== undefined && !(await isThere(revisions, { commit, place, signal }))) {
      place = (await formerPlace(revisions, { commit: newer, place, signal })) ?? place;
    }
    const found = await isThere(revisions, { commit, place, signal });
    placed.push({ commit, place: found ? place : undefined });
    newer = commit;
  }
  return placed;
}

/** Commits that are looked through for one that renamed a Dockerfile. */
const mostFollowed = 1_000;

/**
 * Where the input of a build was in an older commit, by what it is called in a newer one; what it is called there, if it
 * cannot be followed: the older commit is not among the first parents of the newer one, or has no such Dockerfile.
 */
export async function placeBefore(
  revisions: Revisions,
  { older, newer, place, signal }: { older: GitCommit; newer: GitCommit; place: BuildPlace } & CallOptions,
): Promise<BuildPlace> {
  if (await isThere(revisions, { commit: older, place, signal })) return place;
  const { commits } = await revisions.history(newer, { limit: mostFollowed, signal });
  const between = commits.slice(0, commits.findIndex(({ id }) => id === older.id) + 1);
  const placed = await followPlaces(revisions, { commits: between, start: place, signal });
  return placed.at(-1)?.place ?? place;
}

async function isThere(
  revisions: Revisions,
  { commit, place, signal }: { commit: GitCommit; place: BuildPlace } & CallOptions,
): Promise<boolean> {
  const { directory, dockerfile } = place;
  if ((await revisions.text(commit, dockerfile, { signal })) === undefined) return false;
  return (await revisions.context(commit, { directory, signal })) !== undefined;
}

/** Where the input was before a commit that renamed the Dockerfile; undefined if the commit did not. */
async function formerPlace(
  revisions: Revisions,
  { commit, place, signal }: { commit: GitCommit; place: BuildPlace } & CallOptions,
): Promise<BuildPlace | undefined> {
  const dockerfile = await revisions.formerPath(commit, place.dockerfile, { signal });
  if (dockerfile === undefined) return undefined;
  const inContext = posix.relative(place.directory, place.dockerfile);
  const moved = dockerfile === inContext ? "" : dockerfile.slice(0, -inContext.length - 1);
  const isMoved = dockerfile === posix.join(moved, inContext);
  return { dockerfile, directory: isMoved ? moved : place.directory };
}
