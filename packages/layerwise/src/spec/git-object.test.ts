// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { conversionIn, decodeCommit, decodeLfsPointer, decodeTree } from "./git-object.ts";

const id = "0123456789abcdef0123456789abcdef01234567";
const idBytes = Buffer.from(id, "hex");
const treeOf = (...entries: readonly (readonly [string, string | Buffer])[]) =>
  Buffer.concat(entries.flatMap(([mode, name]) => [Buffer.from(`${mode} `), Buffer.from(name), Buffer.of(0), idBytes]));

describe("a commit", () => {
  it("is read with all its parents, its time and the first line of its message", () => {
    const text = `tree ${id}\nparent ${id}\nparent ${"a".repeat(40)}\nauthor A <a@x> 1 +0000\ncommitter B <b@x> 1700000000 -0330\ngpgsig -----BEGIN\n tree\n -----END\n\nSubject\n\nparent of all\n`;

    expect(decodeCommit("c", Buffer.from(text))).toEqual({
      id: "c",
      tree: id,
      parents: [id, "a".repeat(40)],
      time: 1_700_000_000,
      subject: "Subject",
    });
  });

  it.each([
    ["no tree", "author A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\n\nx"],
    ["no time", `tree ${id}\ncommitter A\n\nx`],
    ["nothing", ""],
  ])("with %s is none", (_, text) => {
    expect(decodeCommit("c", Buffer.from(text))).toBeUndefined();
  });
});

describe("a tree", () => {
  it("has files, links, directories and submodules, also with modes of old repositories", () => {
    const bytes = treeOf(
      ["100644", "a"],
      ["100755", "b"],
      ["100664", "c"],
      ["120000", "d"],
      ["40000", "e"],
      ["160000", "f"],
    );

    const kinds = decodeTree(id, bytes)?.map(({ name, kind, isExecutable }) => [name, kind, isExecutable]);

    expect(kinds).toEqual([
      ["a", "file", false],
      ["b", "file", true],
      ["c", "file", false],
      ["d", "symlink", false],
      ["e", "directory", true],
      ["f", "submodule", false],
    ]);
  });

  it.each([
    ["a name that leads out", treeOf(["100644", ".."])],
    ["a name with a slash", treeOf(["100644", "a/b"])],
    ["a name of nothing", treeOf(["100644", ""])],
    ["an unknown mode", treeOf(["10644", "a"])],
    ["an end in the middle", treeOf(["100644", "a"]).subarray(0, -1)],
    ["no object", Buffer.from("100644 a")],
  ])("with %s is damaged", (_, bytes) => {
    expect(decodeTree(id, bytes)).toBeUndefined();
  });
});

describe("a pointer of Git LFS", () => {
  const hex = "4d7a".repeat(16);
  const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${hex}\nsize 12345\n`;

  it("stands for a content and its size", () => {
    expect(decodeLfsPointer(Buffer.from(text))).toEqual({ hex, size: 12_345 });
  });

  it.each([
    ["another file", "version 2\n"],
    ["a pointer of something else", text.replace("git-lfs.github.com", "example.test")],
    ["a pointer without a size", text.replace(/size.*\n/, "")],
    ["what is too long", text.padEnd(1024, "\n")],
    ["nothing", ""],
  ])("is not %s", (_, other) => {
    expect(decodeLfsPointer(Buffer.from(other))).toBeUndefined();
  });
});

describe("attributes", () => {
  it.each([
    ["*.bat text eol=crlf", "eol=crlf"],
    ["* text=auto\n*.ps1 working-tree-encoding=UTF-16", "working-tree-encoding=UTF-16"],
    ["*.c ident", "ident"],
    ["*.enc filter=crypt diff=crypt", "filter=crypt"],
    ["*.bin filter=lfs diff=lfs merge=lfs -text", undefined],
    ["# *.bat eol=crlf", undefined],
    ["*.sh text eol=lf\n* text=auto", undefined],
    ["ident", undefined],
    ["", undefined],
  ])("%j convert by %s", (text, found) => {
    expect(conversionIn(text)).toBe(found);
  });
});
