// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type DraftFile, draftTree } from "../../test/draft.ts";
import { createIgnoreMatcher, parseIgnoreFile } from "../dockerfile/ignore.ts";
import type { SourceRange } from "../error.ts";
import type { ContextEntry, ContextTree } from "../ports.ts";
import { contextTree, entriesIn } from "../system/context-tree.ts";
import { ignoring } from "./context-files.ts";
import { selectSource } from "./copy-selection.ts";

const at: SourceRange = { file: "Dockerfile", start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };

const files: Readonly<Record<string, DraftFile>> = {
  a: "1",
  ".hidden": "",
  "dir/x": "",
  "dir/sub/y.txt": "",
  "dir/sub/z.md": "",
  empty: { directory: true },
  "link-to-file": { target: "a" },
  "link-to-dir": { target: "/dir" },
  "dir/up": { target: "../a" },
  loop: { target: "loop" },
  dangling: { target: "nowhere" },
  outside: { target: "../../../a" },
};

/** What a word selects: names and what is below, as one line each. */
function selected(
  word: string,
  { tree = draftTree(files), ignore = "" }: { tree?: ContextTree; ignore?: string } = {},
): readonly string[] {
  const result = selectSource(ignoring(createIgnoreMatcher(parseIgnoreFile(ignore)))(tree), { word, at });
  if (result.kind === "unlisted") return [`unlisted ${result.directory}`];
  return result.sources.map(({ name, entry, below }) => {
    const inside = below.map(({ path }) => path).join(" ");
    return `${name} ${entry.kind} ${entry.path}${inside === "" ? "" : `: ${inside}`}`;
  });
}

it.each([
  ["dir", []],
  ["dir\n!dir/x", []],
  ["dir\n!dir/none", ["dir"]],
  ["dir/sub\n!dir/sub/none", ["dir/sub"]],
])("with %j names a directory that older engines copy, empty: %s", (ignore, disputed) => {
  const tree = ignoring(createIgnoreMatcher(parseIgnoreFile(ignore)))(draftTree(files));

  const result = selectSource(tree, { word: ".", at });

  expect(result).toMatchObject({ sources: [{ disputed }] });
});

it.each([
  ["dir", [["dir"]]],
  ["./dir/", [["dir"]]],
  ["link-to-dir", [["dir"]]],
  ["?*[ry]", [[], ["dir"], ["dir"]]],
  ["dir*", [["dir"]]],
  ["a", [[]]],
])("gives for %s what only older engines have, empty, marked as disputed", (word, disputed) => {
  const tree = ignoring(createIgnoreMatcher(parseIgnoreFile("dir\n!dir/none")))(draftTree(files));

  const result = selectSource(tree, { word, at });

  expect(result.kind === "selected" && result.sources.map((source) => source.disputed)).toEqual(disputed);
});

describe("selectSource", () => {
  it.each([
    ["a", ["a file a"]],
    ["/a", ["a file a"]],
    ["./dir/../a", ["a file a"]],
    ["dir", ["dir directory dir: sub sub/y.txt sub/z.md up x"]],
    ["dir/", ["dir directory dir: sub sub/y.txt sub/z.md up x"]],
    ["empty", ["empty directory empty"]],
    ["dir/*", ["sub directory dir/sub: y.txt z.md", "up file a", "x file dir/x"]],
    ["dir/*/*.txt", ["y.txt file dir/sub/y.txt"]],
    ["d?r/su[a-c]/y.txt", ["y.txt file dir/sub/y.txt"]],
    ["*.nothing", []],
    ["link-to-file", ["link-to-file file a"]],
    ["link-to-dir", ["link-to-dir directory dir: sub sub/y.txt sub/z.md up x"]],
    ["link-to-dir/sub/*.md", ["z.md file dir/sub/z.md"]],
    ["dir/up", ["up file a"]],
    ["outside", ["outside file a"]],
    ["../a", ["a file a"]],
  ])("selects with %s what BuildKit does", (word, expected) => {
    expect(selected(word)).toEqual(expected);
  });

  it("lets a star match hidden files, and links as what they lead to", () => {
    const tree = draftTree({ ".hidden": "", a: "1", l: { target: "a" } });

    expect(selected("*", { tree })).toEqual([".hidden file .hidden", "a file a", "l file a"]);
  });

  it.each([["missing"], ["dir/missing"], ["a/x"], ["missing/*"], ["dangling"], ["d*"], ["loop"]])(
    "says that %s is not there",
    (word) => {
      expect(() => selected(word)).toThrow(expect.objectContaining({ code: "CONTEXT_NOT_FOUND", at }));
    },
  );

  it("says that a path leads out of the context if nothing is there", () => {
    expect(() => selected("../../missing")).toThrow(expect.objectContaining({ code: "CONTEXT_ESCAPE" }));
  });

  it("refuses what no image can hold, wherever it is below", () => {
    const tree = changed(draftTree({ "dir/socket": "" }), { path: "dir/socket", kind: "other" });

    expect(() => selected("dir", { tree })).toThrow(expect.objectContaining({ code: "CONTEXT_UNSUPPORTED" }));
  });

  it("does not see ignored files, also not through links", () => {
    expect(selected("dir", { ignore: "dir/sub\n" })).toEqual(["dir directory dir: up x"]);
    expect(() => selected("link-to-file", { ignore: "a\n" })).toThrow(
      expect.objectContaining({ code: "CONTEXT_NOT_FOUND" }),
    );
  });

  it("sees an ignored directory again for an exception in it", () => {
    expect(selected("dir", { ignore: "dir\n!dir/sub/y.txt\n" })).toEqual(["dir directory dir: sub sub/y.txt"]);
  });

  it("asks for a directory that has not been listed, instead of taking it for empty", () => {
    const tree = changed(draftTree({ dir: { directory: true } }), { path: "dir", listing: "skipped" });

    expect(selected("dir", { tree })).toEqual(["unlisted dir"]);
    expect(selected("dir/x", { tree })).toEqual(["unlisted dir"]);
    expect(selected("*", { tree })).toEqual(["unlisted dir"]);
  });

  it("says which directory may not be read", () => {
    const tree = changed(draftTree({ dir: { directory: true } }), { path: "dir", listing: "denied" });

    expect(() => selected("dir", { tree })).toThrow(expect.objectContaining({ code: "CONTEXT_UNREADABLE" }));
  });
});

/** A tree with one entry changed. */
function changed(tree: ContextTree, change: Partial<ContextEntry> & Pick<ContextEntry, "path">): ContextTree {
  const entries = [...entriesIn(tree)].map((entry) => (entry.path === change.path ? { ...entry, ...change } : entry));
  return contextTree(new Map(entries.map((entry) => [entry.path, entry])));
}
