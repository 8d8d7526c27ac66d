// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { LayerwiseError } from "../../error.ts";
import type { CallOptions, CommitHistory, Revisions } from "../../ports.ts";
import { decodeFileName } from "../../spec/file-name.ts";
import { decodeCommit, type GitCommit } from "../../spec/git-object.ts";
import { type GitObjects, openGitObjects } from "./git-objects.ts";
import type { GitPlace } from "./git-place.ts";
import { runGit } from "./git-process.ts";
import { openGitTrees } from "./git-trees.ts";
import { openRevisionContext, type RevisionStore, textAt } from "./revision-context.ts";

/**
 * Opens the git repository that a directory is in. Everything is read from git's objects; the working tree, its index
 * and its changes do not count.
 *
 * @throws GIT_UNREADABLE if there is no git or no repository
 */
export async function openGitRepository(place: GitPlace, { signal }: CallOptions = {}): Promise<Revisions> {
  const args = ["rev-parse", "--is-bare-repository", "--is-shallow-repository", "--show-prefix"];
  const answer = await runGit(place, { args, what: `open the git repository of ${place.directory}`, signal });
  const [, isShallow, prefix = ""] = decodeFileName(answer).split("\n");
  const objects = openGitObjects(place);
  const store: RevisionStore = {
    place,
    objects,
    trees: openGitTrees(objects),
    sizes: new Map(),
    digests: new Map(),
    counted: new WeakMap(),
    directories: new Map(),
    entries: new Map(),
    contents: new WeakMap(),
  };
  const history = { objects, isShallow: isShallow === "true" };
  return {
    name: place.directory,
    prefix: prefix.replace(/\/$/, ""),
    commit: async (revision, call) => await resolveCommit(revision, { ...history, ...call }),
    history: async (from, { limit, ...call }) => await firstParents(from, { ...history, limit, ...call }),
    text: async (commit, path, call) => await textAt(store, { tree: commit.tree, path, ...call }),
    context: async (commit, { directory, hasGitDirectory = directory === "", umask = usualUmask, ...call }) => {
      const entry = await store.trees.find(commit.tree, directory, call);
      if (entry?.kind !== "directory") return undefined;
      return openRevisionContext(store, { commit, directory, tree: entry.id, hasGitDirectory, umask });
    },
    formerPath: async (commit, path, call) => await formerPath(place, { commit, path, ...call }),
    close: async () => await objects.close(),
  };
}

/** What a checkout takes away on nearly all machines. */
const usualUmask = 0o022;

interface Reading extends CallOptions {
  readonly objects: GitObjects;
  readonly isShallow: boolean;
}

/** A name that is not here may be one of the remote's branches: machines of CI have no others. */
async function resolveCommit(revision: string, { objects, isShallow, signal }: Reading): Promise<GitCommit> {
  for (const name of [revision, `origin/${revision}`]) {
    const object = await objects.read(`${name}^{commit}`, { signal });
    const commit = object === undefined ? undefined : decodeCommit(object.id, object.bytes);
    if (commit !== undefined) return commit;
  }
  const why = isShallow ? "this clone is shallow and does not have it" : "this repository does not have it";
  throw new LayerwiseError("REVISION_NOT_FOUND", `could not find the revision ${revision}: ${why}`, {
    hint: isShallow ? deeper : "name a commit, a branch or a tag; git fetch brings those of the remote",
  });
}

/** What makes a shallow clone whole. */
const deeper = "git fetch --unshallow, or have CI clone the whole history (actions/checkout: fetch-depth: 0)";

/** Commits along first parents: on a branch that is merged into, each is what the branch was. */
async function firstParents(
  from: GitCommit,
  { objects, isShallow, limit, signal }: Reading & { limit: number },
): Promise<CommitHistory> {
  const commits: GitCommit[] = [from];
  while (commits.length < limit) {
    const parent = (commits.at(-1) as GitCommit).parents[0];
    if (parent === undefined) return { commits, end: "root" };
    const object = await objects.read(parent, { signal });
    const commit = object?.type === "commit" ? decodeCommit(object.id, object.bytes) : undefined;
    if (commit !== undefined) {
      commits.push(commit);
      continue;
    }
    if (isShallow) return { commits, end: "shallow" };
    throw new LayerwiseError("GIT_UNREADABLE", `could not read the commit ${parent}: this repository lacks it`, {
      hint: "check the repository with git fsck",
    });
  }
  return { commits, end: (commits.at(-1) as GitCommit).parents.length === 0 ? "root" : "limit" };
}

/** Where a file was before a commit, if the commit renamed it; git itself compares the contents. */
async function formerPath(
  place: GitPlace,
  { commit, path, signal }: { commit: GitCommit; path: string } & CallOptions,
): Promise<string | undefined> {
  const [parent] = commit.parents;
  if (parent === undefined) return undefined;
  const args = ["diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", "--no-commit-id", parent, commit.id];
  const answer = await runGit(place, { args, what: `look for renamed files in ${commit.id}`, signal });
  const fields = decodeFileName(answer).split("\0");
  const wanted = posix.normalize(path);
  for (let at = 0; at + 2 < fields.length; at += 3) {
    if (fields[at + 2] === wanted) return fields[at + 1];
  }
  return undefined;
}
