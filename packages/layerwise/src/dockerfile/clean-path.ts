// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";

/** The shortest form of a path, as Go's `path.Clean`: no double slashes, no `.`, no `..` that can go, no slash at the end. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}
