// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLayerwiseError } from "../error.ts";
import { createIgnoreMatcher, parseIgnoreFile } from "./ignore.ts";

interface Found {
  readonly path: string;
  readonly isDirectory: boolean;
}

describe("parseIgnoreFile", () => {
  it("drops comments and empty lines, and brings paths into their shortest form", () => {
    const text = "\ufeff# comment\n\n  # no comment\r\n/a//b/\n ./c/../d \n! /e/./f\n!!g\n/\n.\n**/\n";

    const patterns = parseIgnoreFile(text);

    expect(patterns).toEqual(["# no comment", "a/b", "d", "!e/f", "!!g", "/", ".", "**"]);
  });

  it("keeps backslashes and spaces inside a line", () => {
    expect(parseIgnoreFile("a\\ b c\n\\#d\n")).toEqual(["a\\ b c", "\\#d"]);
  });

  it.each([
    ["a\n[b\n", 2, "a class or an escape in it is not complete"],
    ["a\\", 1, "a class or an escape in it is not complete"],
    ["a\n\n  !  \n", 3, "nothing follows the exclamation mark"],
    ["!/", 1, "nothing follows the exclamation mark"],
  ])("refuses %j and names the line", (text, line, why) => {
    const parse = () => parseIgnoreFile(text, "app.dockerignore");

    expect(parse).toThrow(`could not read app.dockerignore line ${line}: ${why}`);
    expect(parse).toThrow(expect.objectContaining({ at: expect.objectContaining({ file: "app.dockerignore" }) }));
  });
});

describe("createIgnoreMatcher", () => {
  const cases = readFileSync(new URL("../../test/ignore-patterns.txt", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("# "));

  it("has enough cases", () => {
    expect(cases.length).toBeGreaterThan(80);
  });

  it.each(cases)("finds %s", (line) => {
    const bar = line.lastIndexOf(" | ");
    const patterns = parseIgnoreFile(line.slice(0, bar).replaceAll(" ", "\n"));
    const tree = line.slice(bar + " | ".length).split(" ");

    const walk = createIgnoreMatcher(patterns).startWalk();

    const found = tree.map((entry) => {
      const path = entry.replace(/^>/, "").replace(/\/$/, "");
      return `${walk.excludes(path, entry.endsWith("/")) ? ">" : ""}${entry.replace(/^>/, "")}`;
    });
    expect(found).toEqual(tree);
  });

  it("never leaves out the context itself", () => {
    const matcher = createIgnoreMatcher(["**", ".", "/"]);

    expect(matcher.startWalk().excludes("", true)).toBe(false);
    expect(matcher.canSkip("")).toBe(false);
  });

  it.each([
    [["a"], "a", true],
    [["a"], "b", false],
    [["*", "!a/b"], "a", false],
    [["*", "!a/b"], "c", true],
    [["*", "!a/b"], "a/c", true],
    [["*", "!a/**"], "a", false],
    [["*", "!*/b"], "c", false],
    [["*", "!a/*/**"], "a", false],
    [["*", "!a/*/**"], "a/b", true],
    [["a", "!ab"], "a", true],
  ])("with %j says of the directory %s that it can be skipped: %s", (patterns, directory, canSkip) => {
    expect(createIgnoreMatcher(patterns).canSkip(directory)).toBe(canSkip);
  });

  it.each([
    [["**", "!**/b"], "a", true],
    [["**", "!**/b"], "a/c", true],
    [["*", "!a/*/b"], "a", false],
    [["*", "!a/*/b"], "a/c", true],
    [["a", "!a/b"], "a", false],
    [["a/c", "!*/b"], "a", false],
    [["a"], "a", false],
  ])("with %j says of what is below %s that engines differ: %s", (patterns, directory, isDisputed) => {
    expect(createIgnoreMatcher(patterns).startWalk().isDisputed(directory)).toBe(isDisputed);
  });

  it("answers for a path whose directories were not asked for", () => {
    const walk = createIgnoreMatcher(["a", "!a/b"]).startWalk();

    expect([walk.excludes("a/b/c/d", false), walk.excludes("a/c/d", false)]).toEqual([false, true]);
  });

  it("refuses a pattern that means nothing only when it must decide", () => {
    const matcher = createIgnoreMatcher(["a*", "[z-a]"]);

    expect(matcher.startWalk().excludes("ab", false)).toBe(true);
    expect(() => matcher.startWalk().excludes("b", false)).toThrow('could not read the ignore pattern "[z-a]"');
  });

  it("refuses a malformed pattern at once", () => {
    expect(() => createIgnoreMatcher(["a", "[b"])).toThrow('could not read the ignore pattern "[b"');
  });

  it("leaves out everything below a directory that can be skipped", () => {
    fc.assert(
      fc.property(anyPatterns, anyTree, (patterns, tree) => {
        const matcher = matcherOf(patterns);
        if (matcher === undefined) return;
        const walk = matcher.startWalk();
        const skipped = tree.filter(({ path, isDirectory }) => isDirectory && decided(() => matcher.canSkip(path)));
        const below = tree.filter(({ path }) => skipped.some((directory) => path.startsWith(`${directory.path}/`)));

        expect(below.filter(({ path, isDirectory }) => !decided(() => walk.excludes(path, isDirectory)))).toEqual([]);
      }),
    );
  });

  it("answers the same in any order and with any number of walks", () => {
    fc.assert(
      fc.property(anyPatterns, anyTree, (patterns, tree) => {
        const matcher = matcherOf(patterns);
        if (matcher === undefined) return;
        const inOrder = matcher.startWalk();
        const backwards = createIgnoreMatcher(patterns).startWalk();

        const expected = tree.map(({ path, isDirectory }) => decided(() => inOrder.excludes(path, isDirectory)));

        const reversed = tree
          .toReversed()
          .map(({ path, isDirectory }) => decided(() => backwards.excludes(path, isDirectory)));
        expect(reversed.toReversed()).toEqual(expected);
      }),
    );
  });
});

const anyPatterns = fc.array(
  fc
    .tuple(
      fc.constantFrom("", "", "!"),
      fc.array(fc.constantFrom("a", "b", "*", "**", "/", "?", "[ab]", "\\", "."), { minLength: 1, maxLength: 6 }),
    )
    .map(([mark, parts]) => mark + parts.join("")),
  { maxLength: 5 },
);

const anyTree: fc.Arbitrary<readonly Found[]> = fc
  .array(fc.array(fc.constantFrom("a", "b", "ab", ".c", "*"), { minLength: 1, maxLength: 4 }), { maxLength: 8 })
  .map((paths) => {
    const found = new Map<string, Found>();
    for (const parts of paths) {
      for (let length = 1; length <= parts.length; length++) {
        const path = parts.slice(0, length).join("/");
        const isDirectory = length < parts.length || found.get(path)?.isDirectory === true;
        found.set(path, { path, isDirectory });
      }
    }
    return [...found.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
  });

function matcherOf(patterns: readonly string[]): ReturnType<typeof createIgnoreMatcher> | undefined {
  try {
    return createIgnoreMatcher(patterns);
  } catch (error) {
    if (!isLayerwiseError(error)) throw error;
    return undefined;
  }
}

/** A pattern that means nothing decides nothing. */
function decided(answer: () => boolean): boolean {
  try {
    return answer();
  } catch (error) {
    if (!isLayerwiseError(error)) throw error;
    return true;
  }
}
