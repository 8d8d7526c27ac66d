// SPDX-License-Identifier: Apache-2.0
import type { StepContent } from "../plan/step-content.ts";
import type { ContextEntry } from "../ports.ts";
import type { FileInput } from "../spec/build-record.ts";
import { digestOf, hexOf } from "../spec/digest.ts";

/** Hexadecimal digits of a content's digest that are kept: enough to tell that a file changed. */
const digestDigits = 12;

/** The files that a step selects from the build context and from named directories, each once, by path. */
export function fileInputs(content: StepContent | undefined): readonly FileInput[] {
  const all = content === undefined ? [] : [content, ...(content.more ?? [])];
  return all.flatMap(inputsIn).sort((one, other) => (one.path < other.path ? -1 : 1));
}

function inputsIn(content: StepContent): readonly FileInput[] {
  const { context } = content;
  const inputs = new Map<string, FileInput>();
  const links = new Map<string, string>();
  for (const { entry, below } of content.sources) {
    for (const one of [entry, ...below.map((item) => item.entry)]) {
      // Of the context itself only the content counts.
      if (one.path !== "") inputs.set(one.path, inputOf(one, { content, links }));
    }
  }
  if (context === undefined) return [...inputs.values()];
  return [...inputs.values()].map((input) => ({ ...input, path: `${context}:/${input.path}` }));
}

/** Whether a path is one of a named directory, where the ignore file of the build context means nothing. */
export function isInNamedDirectory(path: string): boolean {
  return /^[^/]+:\//.test(path);
}

function inputOf(
  entry: ContextEntry,
  { content, links }: { content: StepContent; links: Map<string, string> },
): FileInput {
  const { path, kind, mode, size, uid, gid, hardLink } = entry;
  const owner = uid === 0 && gid === 0 ? "" : `owner ${uid}:${gid}`;
  if (kind === "symlink") return plain({ path, kind: "link", digest: entry.target ?? "", more: owner });
  const bits = mode.toString(8);
  if (kind === "directory") return plain({ path, kind: "directory", mode: bits, more: owner });
  const first = hardLink === undefined ? undefined : links.get(hardLink);
  if (hardLink !== undefined && first === undefined) links.set(hardLink, path);
  const capability = content.capabilities.get(path);
  const more = [
    owner,
    capability === undefined ? "" : `capability ${capability}`,
    first === undefined ? "" : `hard link to ${first}`,
  ];
  const digest = content.digests.get(path);
  return plain({
    path,
    kind: "file",
    mode: bits,
    size,
    digest: digest === undefined ? "" : hexOf(digest).slice(0, digestDigits),
    more: more.filter((text) => text !== "").join(", "),
  });
}

function plain(parts: Pick<FileInput, "path" | "kind"> & Partial<FileInput>): FileInput {
  return { mode: "", digest: "", size: 0, count: 1, more: "", ...parts };
}

/** The depth at which nothing is left out. */
export const fullDepth = 1000;

/** The greatest depth at which there are at most so many entries; what lies deeper becomes a tree. */
export function depthFor(files: readonly FileInput[], limit: number): number {
  const deepest = files.reduce((most, { path }) => Math.max(most, depthOf(path)), 0);
  if (files.length <= limit) return fullDepth;
  for (let depth = deepest - 1; depth > 0; depth--) {
    if (new Set(files.map(({ path }) => cut(path, depth))).size <= limit) return depth;
  }
  return 0;
}

/** Replaces what lies deeper than `depth` by one entry a directory, with a digest over all in it. */
export function collapse(files: readonly FileInput[], depth: number): readonly FileInput[] {
  if (depth >= fullDepth) return files;
  const trees = new Map<string, FileInput[]>();
  for (const file of files) {
    if (depthOf(file.path) <= depth) continue;
    const path = cut(file.path, depth);
    const inside = trees.get(path);
    if (inside === undefined) trees.set(path, [file]);
    else inside.push(file);
  }
  const kept = files.filter(({ path }) => depthOf(path) <= depth);
  const collapsed = [...trees].map(([path, inside]) => treeOf(path, inside));
  return [...kept, ...collapsed].sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Its path ends with a slash, so that it does not meet the directory itself. */
function treeOf(path: string, inside: readonly FileInput[]): FileInput {
  const lines = inside.map(({ path: name, kind, mode, digest, more }) => [name, kind, mode, digest, more].join("\0"));
  return plain({
    path: `${path}/`,
    kind: "tree",
    digest: hexOf(digestOf(lines.join("\n"))).slice(0, digestDigits),
    size: inside.reduce((sum, { size }) => sum + size, 0),
    count: inside.reduce((sum, { count }) => sum + count, 0),
  });
}

function depthOf(path: string): number {
  return path.split("/").filter((name) => name !== "").length;
}

function cut(path: string, depth: number): string {
  return path.split("/").slice(0, depth).join("/");
}
