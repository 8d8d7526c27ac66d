// SPDX-License-Identifier: Apache-2.0
import { compareFileNames } from "../spec/file-name.ts";
import type { LayerFile } from "./file-tree.ts";

type Member = Extract<LayerFile, { kind: "member" }>;

/**
 * Brings the entries of a layer into an order in which they can be written: as a walk meets them, each directory before
 * its content. Content of archives follows in the order of the archives, since they can be read only so, and what is
 * linked to it comes last.
 */
export function inLayerOrder(files: readonly LayerFile[]): LayerFile[] {
  const sorted = files.toSorted((one, other) => comparePaths(one.path, other.path));
  if (!sorted.some(({ kind }) => kind === "member")) return sorted;
  const named = withFirstNames(sorted);
  const members = named.filter((file) => file.kind === "member");
  const paths = new Set(members.map(({ path }) => path));
  const isLinked = (file: LayerFile) => file.kind === "hardlink" && paths.has(file.target);
  return [
    ...named.filter((file) => file.kind !== "member" && !isLinked(file)),
    ...inArchiveOrder(members),
    ...named.filter(isLinked),
  ];
}

/** A file with several names has its content under the first of them, as in the layers that engines write. */
function withFirstNames(sorted: readonly LayerFile[]): readonly LayerFile[] {
  const firsts = new Map<string, string>();
  for (const file of sorted) {
    if (file.kind === "hardlink" && !firsts.has(file.target)) firsts.set(file.target, file.path);
  }
  const members = new Map(sorted.flatMap((file) => (file.kind === "member" ? [[file.path, file] as const] : [])));
  const firstOf = (path: string): string => {
    const link = firsts.get(path);
    return link !== undefined && members.has(path) && comparePaths(link, path) < 0 ? link : path;
  };
  return sorted.map((file) => {
    const content = file.kind === "hardlink" ? file.target : file.path;
    const first = firstOf(content);
    const member = members.get(content);
    if (member === undefined || first === content) return file;
    return file.path === first
      ? { ...member, path: first }
      : { ...withoutContent(file), kind: "hardlink", target: first };
  });
}

function withoutContent({ path, mode, uid, gid, mtime }: LayerFile) {
  return { path, mode, uid, gid, mtime };
}

function inArchiveOrder(members: readonly Member[]): readonly Member[] {
  const archives = [...new Set(members.map(({ archive }) => archive.file.path))];
  const rank = new Map(archives.map((path, index) => [path, index]));
  const rankOf = ({ archive }: Member) => rank.get(archive.file.path) as number;
  return members.toSorted((one, other) => rankOf(one) - rankOf(other) || one.index - other.index);
}

/** Orders paths as a walk meets them: a directory before its content, siblings by their names' bytes. */
function comparePaths(one: string, other: string): number {
  const [left, right] = [one.split("/"), other.split("/")];
  for (let index = 0; index < left.length && index < right.length; index++) {
    const order = compareFileNames(left[index] as string, right[index] as string);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}
