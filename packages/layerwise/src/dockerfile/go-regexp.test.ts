// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { goRegExp } from "./go-regexp.ts";

describe("goRegExp", () => {
  it.each([
    ["^a.c$", "a👋c", "a\nc"],
    ["^[^/]*$", "a\nb", "a/b"],
    ["^(.*/)?b$", "a/b", "ab"],
    ["^a|b$", "xb", "xa"],
    ["^a{2,3}$", "aaa", "a"],
    ["^a{,2}$", "a{,2}", "aa"],
    ["^a{2$", "a{2", "aa"],
    ["^]}$", "]}", "]"],
    ["^\\d\\D\\w\\W\\s\\S$", "1a_- x", "11_- x"],
    ["^[\\d\\s-]*$", "1 -2", "a"],
    ["^[\\D]$", "a", "1"],
    ["^[]a]$", "]", "b"],
    ["^[^]a]$", "b", "]"],
    ["^[[:alpha:]_]*$", "aZ_", "a1"],
    ["^[[:^alpha:]]$", "1", "a"],
    ["^[[:x]$", ":", "a"],
    ["^[a\\-z]$", "-", "b"],
    ["^\\x41\\x{42}\\103\\0$", "ABC\0", "ABC0"],
    ["^\\a\\f\\n\\r\\t\\v$", "\x07\f\n\r\t\v", "afnrtv"],
    ["\\Aa\\b-\\bb\\Bc\\z", "a-bc", "a-bcd"],
    ["^^*a$", "a", "b"],
  ])("lets %s match %j and not %j", (source, match, other) => {
    const regexp = goRegExp(source);

    expect(regexp?.test(match)).toBe(true);
    expect(regexp?.test(other)).toBe(false);
  });

  it.each([
    "[a",
    "a**",
    "a{2}{3}",
    "a{3,2}",
    "a{1001}",
    "(*)",
    "|*",
    "(a",
    "a)",
    "[z-a]",
    "[[:nope:]]",
    "[[:constructor:]]",
    "[\\b]",
    "\\",
    "\\y",
    "\\8",
    "\\1",
    "\\pL",
    "\\Qa",
    "\\x4",
    "\\x{110000}",
  ])("refuses %s", (source) => {
    expect(goRegExp(source)).toBeUndefined();
  });
});
