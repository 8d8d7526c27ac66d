// SPDX-License-Identifier: Apache-2.0
import type { FileInput } from "../spec/build-record.ts";
import type { FileChange } from "./cause.ts";

/** The most telling kinds of change first. */
const order: readonly FileChange["how"][] = ["changed", "added", "removed", "mode", "other"];

/** What is different between two selections of files, the most telling first. Directories only where nothing in them is. */
export function compareFiles(before: readonly FileInput[], after: readonly FileInput[]): readonly FileChange[] {
  const earlier = new Map(before.map((file) => [file.path, file]));
  const later = new Map(after.map((file) => [file.path, file]));
  const changes: (FileChange & { readonly isDirectory: boolean })[] = [];
  for (const [path, file] of later) {
    const was = earlier.get(path);
    const change = was === undefined ? added(file) : changeOf(was, file);
    if (change !== undefined) changes.push({ ...change, isDirectory: file.kind === "directory" });
  }
  for (const [path, file] of earlier) {
    if (!later.has(path)) {
      changes.push({ path, how: "removed", size: file.size, isDirectory: file.kind === "directory" });
    }
  }
  const holders = new Set(changes.flatMap(({ path }) => parentsOf(path)));
  return changes
    .filter(({ path, how, isDirectory }) => !isDirectory || how === "mode" || !holders.has(path))
    .map(({ isDirectory, ...change }) => change)
    .sort(byWeight);
}

function byWeight(one: FileChange, other: FileChange): number {
  return order.indexOf(one.how) - order.indexOf(other.how) || other.size - one.size || (one.path < other.path ? -1 : 1);
}

function added({ path, size }: FileInput): FileChange {
  return { path, how: "added", size };
}

function changeOf(before: FileInput, after: FileInput): FileChange | undefined {
  const { path, size } = after;
  if (before.kind !== after.kind) {
    return { path, how: "changed", size, detail: `a ${after.kind}, was a ${before.kind}` };
  }
  if (before.digest !== after.digest) {
    return { path, how: "changed", size, detail: after.kind === "link" ? "points elsewhere" : undefined };
  }
  if (before.mode !== after.mode) return { path, how: "mode", size, detail: `mode ${after.mode}, was ${before.mode}` };
  if (before.more !== after.more) {
    const says = (text: string) => (text === "" ? "nothing special" : text);
    return { path, how: "other", size, detail: `${says(after.more)}, was ${says(before.more)}` };
  }
  return undefined;
}

function parentsOf(path: string): readonly string[] {
  const names = path.split("/").filter((name) => name !== "");
  return names.slice(0, -1).map((_, index) => names.slice(0, index + 1).join("/"));
}
