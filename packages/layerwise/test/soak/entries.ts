// SPDX-License-Identifier: Apache-2.0
import type { Entry, PlainEntry } from "../e2e/corpus-case.ts";
import { archivePaths } from "./archive-arbitrary.ts";

const archived: PlainEntry = { path: "d/archived", type: "file", content: "a\n", names: "utf8" };

/** Paths without wildcards that most instructions name, so that most builds work. */
const always: readonly Entry[] = [
  ...["a.txt", "src/a", "src/d/c", "conf/app.conf", "mod/run", "weird/a*b"].map(
    (path): Entry => ({ path, type: "file", content: `${path}\n`, names: "utf8" }),
  ),
  ...archivePaths.map((path): Entry => ({ path, type: "archive", entries: [archived], names: "utf8" })),
];

/** What an ignore file should mostly leave, directories first. */
export const neededPaths: readonly { readonly path: string; readonly isDirectory: boolean }[] = [
  ...["src", "conf"].map((path) => ({ path, isDirectory: true })),
  ...["a.txt", "src/a", "conf/app.conf"].map((path) => ({ path, isDirectory: false })),
];

/** Brings entries of a build context into an order in which they can be written, without those that cannot be. */
export function contextEntries(entries: readonly Entry[]): readonly Entry[] {
  const byPath = new Map([...always, ...entries].map((entry) => [entry.path, entry]));
  const possible = [...byPath.values()].filter(({ path }) =>
    above(path).every((parent) => (byPath.get(parent)?.type ?? "directory") === "directory"),
  );
  const files = new Set(possible.flatMap(({ path, type }) => (type === "file" ? [path] : [])));
  const linked = possible.map(
    (entry): Entry =>
      entry.type === "hardlink" && !files.has(entry.target ?? "")
        ? { path: entry.path, type: "file", content: "no link\n", names: "utf8" }
        : entry,
  );
  return inOrder(linked);
}

/** What is where in an image while its layers are written. */
export type Kinds = Map<string, "directory" | "file" | "symlink" | "other">;

/** Paths of the corpus' base tree on which what a layer may say depends. */
export function kindsOfTree(): Kinds {
  const directories = ["etc", "home", "home/app", "opt", "opt/hidden", "opt/becomes-real", "srv", "srv/data", "tmp"];
  const links = ["opt/data", "opt/absolute", "opt/dangling", "opt/loop", "bin", "lib", "sbin", "var/run"];
  const files = ["etc/passwd", "etc/group", "opt/owned", "opt/twin-a", "srv/data/seed"];
  return new Map([
    ...directories.map((path) => [path, "directory"] as const),
    ...["usr", "usr/bin", "usr/lib", "usr/sbin", "var", "var/tmp", "run"].map((path) => [path, "directory"] as const),
    ...links.map((path) => [path, "symlink"] as const),
    ...files.map((path) => [path, "file"] as const),
  ]);
}

/** Brings entries of a layer into an order that a builder would write, without those that none would; notes what is where then. */
export function layerEntries(entries: readonly Entry[], kinds: Kinds): readonly Entry[] {
  const below = new Map(kinds);
  const files = new Map<string, Entry>();
  const removed = new Set<string>();
  const kept: Entry[] = [];
  for (const entry of inOrder([...new Map(entries.map((one) => [one.path, one])).values()])) {
    const { path, type } = entry;
    const parents = above(path);
    if (parents.some((parent) => removed.has(parent) || (kinds.get(parent) ?? "directory") !== "directory")) continue;
    if (type === "opaque" ? below.get(path) !== "directory" : type === "whiteout" && !below.has(path)) continue;
    const linked = type === "hardlink" ? files.get(entry.target ?? "") : undefined;
    if (type === "hardlink" && linked === undefined) continue;
    for (const parent of parents) kinds.set(parent, "directory");
    if (type === "whiteout" || type === "opaque" || type !== "directory") forgetBelow(kinds, path);
    if (type === "whiteout") {
      kinds.delete(path);
      removed.add(path);
    } else kinds.set(path, kindOf(type));
    if (type === "file") files.set(path, entry);
    // All names of a file have the same owner and mode.
    const attributes = linked && { mode: linked.mode, uid: linked.uid, gid: linked.gid };
    kept.push(attributes === undefined ? entry : { ...entry, ...attributes });
  }
  return kept;
}

function kindOf(type: Entry["type"]): "directory" | "file" | "symlink" | "other" {
  if (type === "hardlink") return "file";
  if (type === "opaque") return "directory";
  return type === "directory" || type === "file" || type === "symlink" ? type : "other";
}

function forgetBelow(kinds: Kinds, path: string): void {
  for (const other of [...kinds.keys()]) if (other.startsWith(`${path}/`)) kinds.delete(other);
}

/** Directories before their content, hard links after the files that they name. */
function inOrder(entries: readonly Entry[]): readonly Entry[] {
  const rank = ({ type }: Entry) => (type === "hardlink" ? 1 : 0);
  return entries.toSorted((one, other) => rank(one) - rank(other) || compared(one.path, other.path));
}

function compared(one: string, other: string): number {
  const [left, right] = [one.split("/").join("\0"), other.split("/").join("\0")];
  return left === right ? 0 : left < right ? -1 : 1;
}

function above(path: string): readonly string[] {
  const names = path.split("/");
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join("/"));
}
