// SPDX-License-Identifier: Apache-2.0
import type { LayerEntry } from "../src/spec/layer-files.ts";

/** A directory as the list of a layer's files has it. */
export function dir(path: string, mode: number, uid = 0, gid = 0): LayerEntry {
  return { kind: "directory", path, mode, uid, gid, mtime: 100 };
}

/** A file of root, of mode 0644. */
export function file(path: string): LayerEntry {
  return { kind: "file", path, mode: 0o644, uid: 0, gid: 0, mtime: 100 };
}

/** A symbolic link of root. */
export function link(path: string, target: string): LayerEntry {
  return { kind: "symlink", path, target, uid: 0, gid: 0 };
}
