// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import type { CallOptions } from "../../ports.ts";
import { compareFileNames, decodeFileName } from "../../spec/file-name.ts";
import { decodeTree, type GitTreeEntry } from "../../spec/git-object.ts";
import type { GitObjects } from "./git-objects.ts";

/** The trees and links of a repository; each is read once, however many commits have it. */
export interface GitTrees {
  /** What a tree holds, sorted by the names' bytes. */
  read(id: string, options?: CallOptions): Promise<readonly GitTreeEntry[]>;
  /** What a path means from a tree on, links followed inside it; undefined if it is not there. */
  find(root: string, path: string, options?: CallOptions): Promise<GitTreeEntry | undefined>;
  /** Where a symbolic link points. */
  target(id: string, options?: CallOptions): Promise<string>;
}

/** Most links that are followed for one path, as Linux has it. */
const maxLinks = 40;

/** Opens the trees of a repository. */
export function openGitTrees(objects: GitObjects): GitTrees {
  const trees = new Map<string, Promise<readonly GitTreeEntry[]>>();
  const targets = new Map<string, Promise<string>>();

  function read(id: string, options?: CallOptions): Promise<readonly GitTreeEntry[]> {
    let tree = trees.get(id);
    if (tree === undefined) {
      tree = readTree(objects, id, options);
      trees.set(id, tree);
    }
    return tree;
  }

  function target(id: string, options?: CallOptions): Promise<string> {
    let text = targets.get(id);
    if (text === undefined) {
      text = objects.read(id, options).then((object) => decodeFileName((object ?? missing(id)).bytes));
      targets.set(id, text);
    }
    return text;
  }

  async function find(root: string, path: string, options?: CallOptions): Promise<GitTreeEntry | undefined> {
    const todo = path.split("/");
    const above: GitTreeEntry[] = [];
    let links = 0;
    const top: GitTreeEntry = { name: "", kind: "directory", isExecutable: true, id: root };
    while (todo.length > 0) {
      const name = todo.shift() as string;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        // A link that leads out of the repository leads to what no commit holds.
        if (above.pop() === undefined) return undefined;
        continue;
      }
      const here = above.at(-1) ?? top;
      if (here.kind !== "directory") return undefined;
      const entry = (await read(here.id, options)).find((one) => one.name === name);
      if (entry === undefined) return undefined;
      if (entry.kind !== "symlink") {
        above.push(entry);
        continue;
      }
      links += 1;
      const text = await target(entry.id, options);
      if (links > maxLinks || text.startsWith("/")) return undefined;
      todo.unshift(...text.split("/"));
    }
    return above.at(-1) ?? top;
  }

  return { read, find, target };
}

async function readTree(
  objects: GitObjects,
  id: string,
  options: CallOptions | undefined,
): Promise<readonly GitTreeEntry[]> {
  const object = (await objects.read(id, options)) ?? missing(id);
  const entries = object.type === "tree" ? decodeTree(id, object.bytes) : undefined;
  // Two things under one name are no tree, and could lead out of a folder that it is written to.
  const isPlain = entries !== undefined && new Set(entries.map(({ name }) => name)).size === entries.length;
  if (!isPlain) {
    throw new LayerwiseError("GIT_UNREADABLE", `could not read the git tree ${id}: it is damaged`, {
      hint: "check the repository with git fsck",
    });
  }
  return [...entries].sort((one, other) => compareFileNames(one.name, other.name));
}

/** A clone may hold commits without all that is in them. */
export function missing(id: string): never {
  throw new LayerwiseError("GIT_UNREADABLE", `could not read the git object ${id}: this clone does not have it`, {
    hint: "if the clone is partial, fetch the rest: git fetch --refetch --no-filter; otherwise check it with git fsck",
  });
}
