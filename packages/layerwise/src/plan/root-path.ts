// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";

/**
 * Resolves all links of a path below a root, the last one too, exactly as engines do (containerd/continuity, `fs`,
 * `RootPath`): in passes, each of which replaces every link by its target, and joins what follows to it as text. So
 * `..` behind a link may mean another directory than on Linux.
 *
 * @param targetOf where the link at a path leads; undefined if there is no link, or nothing at all. The directories
 *   above it may be links.
 * @returns the path without a leading slash; names that do not exist stay as they are
 */
export function rootPath(path: string, targetOf: (path: string) => string | undefined): string {
  let current = posix.join("/", path);
  for (;;) {
    const { path: next, hasLinks } = pass(current, targetOf);
    if (!hasLinks) return posix.join("/", next).replace(/^\/+|\/+$/g, "");
    current = next;
  }
}

function pass(path: string, targetOf: (path: string) => string | undefined): { path: string; hasLinks: boolean } {
  let done = "/";
  let hasLinks = false;
  for (const name of path.split("/")) {
    if (name === "") continue;
    const next = posix.join(done, name);
    const target = next === "/" ? undefined : targetOf(next);
    if (target === undefined) {
      done = next;
      continue;
    }
    hasLinks = true;
    done = target.startsWith("/") ? target : posix.join(done, target);
  }
  return { path: done, hasLinks };
}
