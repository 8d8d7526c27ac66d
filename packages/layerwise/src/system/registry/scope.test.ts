// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { coversScopes, formatScope, mergeScopes, parseScopes, pullScope, pushScope } from "./scope.ts";

describe("parseScopes", () => {
  it.each([
    ["repository:team/app:pull", ["repository:team/app:pull"]],
    ["repository:team/app:push,pull", ["repository:team/app:pull,push"]],
    ["repository:a:pull repository:b:pull,push", ["repository:a:pull", "repository:b:pull,push"]],
    ["registry:catalog:*", ["registry:catalog:*"]],
    ["repository:host:5000/app:pull", ["repository:host:5000/app:pull"]],
    ["aws", ["aws"]],
    ["", []],
    [undefined, []],
  ])("reads %s", (text, expected) => {
    expect(parseScopes(text).map(formatScope)).toEqual(expected);
  });
});

describe("mergeScopes", () => {
  it("joins the actions on one resource and keeps the rest", () => {
    const merged = mergeScopes([pullScope("a"), pullScope("b")], [pushScope("a"), ...parseScopes("aws")]);

    expect(merged.map(formatScope)).toEqual(["repository:a:pull,push", "repository:b:pull", "aws"]);
  });
});

describe("coversScopes", () => {
  it.each([
    { granted: [pushScope("a")], needed: [pullScope("a")], covers: true },
    { granted: [pullScope("a")], needed: [pushScope("a")], covers: false },
    { granted: [pushScope("a"), pullScope("b")], needed: [pushScope("a")], covers: true },
    { granted: [pushScope("a")], needed: [pushScope("a"), pullScope("b")], covers: false },
    { granted: [pullScope("ab")], needed: [pullScope("a")], covers: false },
    { granted: [], needed: [], covers: true },
  ])("compares $granted.0 with $needed.0", ({ granted, needed, covers }) => {
    expect(coversScopes(granted, needed)).toBe(covers);
  });
});
