// SPDX-License-Identifier: Apache-2.0
import type { FileTree, Owner } from "./file-tree.ts";
import { refuseLayer } from "./refusal.ts";

const largestId = 0x7fffffff;

/**
 * Resolves `user[:group]` as BuildKit does for --chown and WORKDIR (solver/llbsolver/ops, `readUser`): numbers as they
 * are, a number alone is also the group, names through the image's own passwd and group files, a name that they do
 * not have is root. Refuses if the files themselves are not known.
 */
export function resolveOwner(tree: FileTree, text: string): Owner {
  const colon = text.indexOf(":");
  const user = colon === -1 ? text : text.slice(0, colon);
  const group = colon === -1 ? undefined : text.slice(colon + 1);
  const owner = userOf(tree, { name: user, text });
  if (group === undefined) return owner;
  const gid = idOf(group, text) ?? idIn(tree, { file: "etc/group", name: group, field: 2, text });
  return { uid: owner.uid, gid: gid ?? owner.gid };
}

function userOf(tree: FileTree, { name, text }: { name: string; text: string }): Owner {
  const id = idOf(name, text);
  if (id !== undefined) return { uid: id, gid: id };
  const uid = idIn(tree, { file: "etc/passwd", name, field: 2, text });
  const gid = idIn(tree, { file: "etc/passwd", name, field: 3, text });
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

function idOf(name: string, text: string): number | undefined {
  if (name === "root") return 0;
  if (!/^[+-]?[0-9]+$/.test(name)) return undefined;
  const id = Number(name);
  // Larger numbers and signs are names to some versions and errors to others.
  if (!/^[0-9]+$/.test(name) || id > largestId) refuseLayer({ name: "owner-unknown", detail: text });
  return id;
}

interface Lookup {
  readonly file: string;
  readonly name: string;
  readonly field: number;
  readonly text: string;
}

/** A number from the first line of passwd or group whose first field is the name. */
function idIn(tree: FileTree, { file, name, field, text }: Lookup): number | undefined {
  const content = tree.text(file);
  if (content === undefined || name === "") refuseLayer({ name: "owner-unknown", detail: text });
  const bytes = Buffer.from(name, "utf8").toString("latin1");
  for (const line of content.split("\n")) {
    const fields = line.trim().split(":");
    if (fields[0] !== bytes) continue;
    const id = fields[field] ?? "";
    if (!/^[0-9]+$/.test(id) || Number(id) > largestId) refuseLayer({ name: "owner-unknown", detail: text });
    return Number(id);
  }
  return undefined;
}
