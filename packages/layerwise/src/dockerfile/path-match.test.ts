// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isIgnorePattern, matchPath } from "./path-match.ts";

const matching = [
  ["a", "a"],
  ["", ""],
  ["*", ""],
  ["*", "abc"],
  ["*c", "abc"],
  ["a*", "a"],
  ["a*/b", "a/b"],
  ["a*/b", "abc/b"],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/f"],
  ["a*b?c*x", "abxbbxdbxebxczzx"],
  ["*x", "xxx"],
  ["*.*", ".git"],
  ["?", "é"],
  ["?", "👋"],
  ["a?b", "a👋b"],
  ["ab[c]", "abc"],
  ["ab[b-d]", "abc"],
  ["ab[^e-g]", "abc"],
  ["[^a]", "/"],
  ["[!a]", "!"],
  ["[é-ü]", "ê"],
  ["a\\*b", "a*b"],
  ["\\a\\\\", "a\\"],
  ["[\\]a]", "]"],
  ["[\\-]", "-"],
  ["[x\\-]", "x"],
  ["[\\-x]", "-"],
  ["]", "]"],
  ["-", "-"],
  ["*[^x]", "ab"],
] as const;

const different = [
  ["a", "A"],
  ["a", "ab"],
  ["*", "a/b"],
  ["a*", "ab/c"],
  ["a?b", "a/b"],
  ["?", ""],
  ["a*b?c*x", "abxbbxdbxebxczzy"],
  ["ab[e-g]", "abc"],
  ["ab[^c]", "abc"],
  ["[z-a]", "m"],
  ["[x\\-]", "z"],
  ["*[^x]*b", "a/cb"],
  ["**", "a/b"],
] as const;

const malformed = [
  ["[", "a"],
  ["[]a]", "]"],
  ["[-]", "-"],
  ["[x-]", "x"],
  ["[a-b-c]", "a"],
  ["a[", "ab"],
  ["a\\", "a"],
  ["[\\", "a"],
  ["[^", "a"],
  ["[^]a]", "a"],
] as const;

describe("matchPath", () => {
  it.each(matching)("lets %j match %j", (pattern, path) => {
    expect(matchPath(pattern, path)).toBe(true);
  });

  it.each(different)("does not let %j match %j", (pattern, path) => {
    expect(matchPath(pattern, path)).toBe(false);
  });

  it.each(malformed)("refuses the pattern %j", (pattern, path) => {
    expect(() => matchPath(pattern, path)).toThrow(`could not read the pattern "${pattern}"`);
  });

  it("does not look at what is behind a part that cannot match", () => {
    expect(matchPath("a*[", "b")).toBe(false);
    expect(() => matchPath("a*[", "a")).toThrow("could not read the pattern");
  });

  it("matches a path with all its special characters escaped", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "é", "👋", "/", "*", "?", "[", "]", "\\", "^", "-", ".") }),
        (path) => {
          expect(matchPath(path.replace(/[*?[\\]/g, "\\$&"), path)).toBe(true);
        },
      ),
    );
  });
});

describe("isIgnorePattern", () => {
  it("compares with a dot, so that it misses mistakes behind a first part", () => {
    expect(["a", "[a", ".*[", "a*["].map(isIgnorePattern)).toEqual([true, false, false, true]);
  });
});
