// SPDX-License-Identifier: Apache-2.0
import { type Node, partsOf } from "../spec/file-view.ts";
import { refuseLayer } from "./refusal.ts";
import { rootPath } from "./root-path.ts";

/** Most links that engines follow for one path (containerd/continuity, `fs.RootPath`). */
const maxLinks = 255;

/** Most that the kernel follows for one path: https://man7.org/linux/man-pages/man7/path_resolution.7.html */
const maxKernelLinks = 40;

/**
 * Resolves all links of a path below the root of an image's tree, as engines do. Refuses what depends on the machine
 * they run on, or fails there.
 *
 * @param lookup what is at a path, no link followed
 */
export function resolveInTree(path: string, lookup: (path: string) => Node | undefined): string {
  let links = 0;
  return rootPath(path, (place) => {
    const node = kernelLookup(place, lookup);
    if (node?.kind !== "symlink") return undefined;
    links += 1;
    if (links > maxLinks) refuse(`${path} leads through too many links`);
    return node.target;
  });
}

/** What is at a path for the kernel, which follows the links before the last name, and knows nothing of the root. */
function kernelLookup(path: string, lookup: (path: string) => Node | undefined): Node | undefined {
  let links = 0;
  const todo = partsOf(path);
  const done: string[] = [];
  for (;;) {
    const name = todo.shift();
    if (name === undefined) return lookup(done.join("/"));
    if (name === "..") {
      if (done.pop() === undefined) refuse(`${path} leads above the root`);
      continue;
    }
    const above = lookup(done.join("/"));
    if (above !== undefined && above.kind !== "directory") refuse(`${done.join("/")} is no directory`);
    const node = lookup([...done, name].join("/"));
    if (node?.kind !== "symlink" || todo.length === 0) {
      done.push(name);
      continue;
    }
    links += 1;
    if (links > maxKernelLinks) refuse(`${path} leads through too many links`);
    if (node.target.startsWith("/")) refuse(`${path} leads through a link from the root of the engine's machine`);
    todo.unshift(...partsOf(node.target));
  }
}

function refuse(detail: string): never {
  return refuseLayer({ name: "destination-conflict", detail });
}
