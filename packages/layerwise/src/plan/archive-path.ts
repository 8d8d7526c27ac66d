// SPDX-License-Identifier: Apache-2.0
import { partsOf } from "../spec/file-view.ts";
import type { FileTree } from "./file-tree.ts";

/** Where a directory of an archive is in the tree: what of it is there, and the names below that are not. */
export type Unpacked =
  | { readonly kind: "found"; readonly path: string; readonly missing: readonly string[] }
  | { readonly kind: "refused"; readonly why: string };

/** Most that the kernel follows for one path: https://man7.org/linux/man-pages/man7/path_resolution.7.html */
const maxKernelLinks = 40;

/**
 * Resolves the links of a directory in an archive as Linux does for a process whose root is the directory that is
 * unpacked into: engines change their root for it (moby/go-archive, `chrootarchive`). Refuses names that lead above
 * that root, which stay in it for some engines, and are errors for others.
 */
export function resolveUnpacked(
  tree: Pick<FileTree, "at">,
  { root, names }: { root: string; names: readonly string[] },
): Unpacked {
  const todo = names.map((name) => ({ name, isLink: false }));
  let done: string[] = [];
  let links = 0;
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    const { name, isLink } = next;
    if (name === "..") {
      if (!isLink || done.pop() === undefined) return { kind: "refused", why: '".." in a name' };
      continue;
    }
    const path = [root, ...done, name].filter((part) => part !== "").join("/");
    const node = tree.at(path);
    if (node?.kind === "symlink") {
      links += 1;
      if (links > maxKernelLinks) return { kind: "refused", why: "too many links" };
      if (node.target.startsWith("/")) done = [];
      todo.unshift(...partsOf(node.target).map((part) => ({ name: part, isLink: true })));
      continue;
    }
    if (node === undefined) {
      if (isLink) return { kind: "refused", why: "a link leads nowhere" };
      const missing = [name, ...todo.map((one) => one.name)];
      if (missing.includes("..")) return { kind: "refused", why: '".." in a name' };
      return { kind: "found", path: [root, ...done].filter((part) => part !== "").join("/"), missing };
    }
    if (node.kind !== "directory") return { kind: "refused", why: `/${path} is no directory` };
    done.push(name);
  }
  return { kind: "found", path: [root, ...done].filter((part) => part !== "").join("/"), missing: [] };
}
