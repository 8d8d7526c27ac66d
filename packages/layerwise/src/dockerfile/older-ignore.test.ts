// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { createIgnoreMatcher } from "./ignore.ts";

// What Docker 20.10's client sends in each of these cases was seen in test/e2e/ignore-clients.test.ts.
describe("a path about which clients differ", () => {
  it.each([
    [["**foo"], "afoo"],
    [["**foo"], "a/bfoo"],
    [["(a)"], "(a)"],
    [["(a)"], "a"],
    [["a+b?"], "a+bc"],
    [["a+b?"], "aabc"],
    [["a(b)c/def"], "a(b)c/def"],
    [["a.|)$(}+{bc"], "anything"],
    [["**", "!a+b"], "a+b"],
    [["a|b"], "a"],
    [["a{2}"], "aa"],
    [["**/d", "!a/b/d/keep"], "a/b/d/other"],
  ])("with %j is %s", (patterns, path) => {
    expect(differs(patterns, path)).toBe(true);
  });

  it.each([
    [["**foo"], "foo"],
    [["**/foo"], "a/b/foo"],
    [["(a)"], "b"],
    [["a+b"], "c"],
    [["a.b", "[^a]c", "x/**"], "a.b"],
    [["**/d"], "a/b/d/other"],
    [["**/d", "!keep"], "a/b/d/other"],
    [["*", "!a/**"], "a/b/c"],
    [["**", "!a/b"], "a/b/c"],
  ])("with %j is not %s", (patterns, path) => {
    expect(differs(patterns, path)).toBe(false);
  });
});

function differs(patterns: readonly string[], path: string): boolean {
  const walk = createIgnoreMatcher(patterns).startWalk();
  const names = path.split("/");
  return names
    .map((_, index) => walk.differs(names.slice(0, index + 1).join("/"), index < names.length - 1))
    .includes(true);
}
