// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createIgnoreMatcher } from "../dockerfile/ignore.ts";
import type { ContextEntry, ContextTree } from "../ports.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { contextTree, entriesIn } from "../system/context-tree.ts";
import { ignoring } from "./context-files.ts";
import { selectSource } from "./copy-selection.ts";
import { filesValue } from "./files-value.ts";

/** What is at a path of one of two revisions; numbers stand for contents. */
type Revision = Readonly<Record<string, number>>;

const paths = ["a", "b/a", "b/b", "b/c/a", "b/c/b", "c/a", "c/c/a", "d"];
const revision: fc.Arbitrary<Revision> = fc
  .array(fc.nat(2), { minLength: paths.length, maxLength: paths.length })
  .map((contents) => Object.fromEntries(paths.map((path, index) => [path, contents[index] as number])))
  .map((files) => Object.fromEntries(Object.entries(files).filter(([, content]) => content > 0)));
const ignoreFiles = fc.constantFrom([], ["c"], ["b", "!b/c"], ["**/a", "!c/**"], ["*", "!b/c/b"]);

describe("the value of selected files", () => {
  it("is of a revision whose lists are shared what it is of the revision alone", () => {
    fc.assert(
      fc.property(fc.array(revision, { minLength: 2, maxLength: 4 }), ignoreFiles, (revisions, patterns) => {
        const shared = sharing();
        const filter = ignoring(createIgnoreMatcher(patterns));
        const together = revisions.map((files) => valueIn(filter(shared(files)), files));

        const alone = revisions.map((files) =>
          valueIn(ignoring(createIgnoreMatcher(patterns))(contextTree(entriesOf(files))), files),
        );

        expect(together).toEqual(alone);
      }),
    );
  });

  it("differs for revisions that differ in a file, and in nothing else", () => {
    fc.assert(
      fc.property(revision, revision, (one, other) => {
        const filter = ignoring(createIgnoreMatcher([]));
        const shared = sharing();
        const values = [one, other].map((files) => valueIn(filter(shared(files)), files));

        expect(values[0] === values[1]).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });
});

function valueIn(files: ReturnType<ReturnType<typeof ignoring>>, revisionFiles: Revision): string {
  const position = { line: 1, column: 1 };
  const at = { file: "Dockerfile", start: position, end: position };
  const result = selectSource(files, { word: ".", at });
  if (result.kind !== "selected") throw new Error(`${result.directory} is not listed`);
  const digests = new Map<string, Digest>(
    Object.entries(revisionFiles).map(([path, content]) => [path, digestOf(String(content))]),
  );
  return filesValue({ sources: result.sources, digests, archives: new Map(), capabilities: new Map() });
}

function entriesOf(files: Revision): ReadonlyMap<string, ContextEntry> {
  const plain = { mode: 0o644, uid: 0, gid: 0, size: 1, mtime: 0 };
  const entries = new Map<string, ContextEntry>([["", { ...plain, path: "", kind: "directory" }]]);
  for (const path of Object.keys(files)) {
    const parts = path.split("/");
    for (let length = 1; length < parts.length; length++) {
      const above = parts.slice(0, length).join("/");
      entries.set(above, { ...plain, path: above, kind: "directory" });
    }
    entries.set(path, { ...plain, path, kind: "file" });
  }
  return entries;
}

/** Makes trees in which a list that another tree has too is the same list, with the same entries, as git's have it. */
function sharing(): (files: Revision) => ContextTree {
  const entries = new Map<string, ContextEntry>();
  const lists = new Map<string, readonly ContextEntry[]>();
  return (files) => {
    const alone = contextTree(entriesOf(files));
    const own = new Map<string, ContextEntry>();
    for (const entry of entriesIn(alone)) {
      const name = `${entry.kind} ${entry.path} ${files[entry.path] ?? ""}`;
      own.set(entry.path, entries.get(name) ?? entry);
      entries.set(name, own.get(entry.path) as ContextEntry);
    }
    return {
      size: own.size,
      get: (path) => own.get(path),
      children: (directory) => {
        const list = alone.children(directory).map(({ path }) => own.get(path) as ContextEntry);
        const name = `${directory}: ${list.map(({ kind, path }) => `${kind} ${path} ${files[path] ?? ""}`).join(", ")}`;
        const known = lists.get(name) ?? list;
        lists.set(name, known);
        return known;
      },
    };
  };
}
