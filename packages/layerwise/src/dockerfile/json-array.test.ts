// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { readJsonArray } from "./json-array.ts";

describe("readJsonArray", () => {
  it.each([
    ["[]", []],
    [' [ "a" , "b" ] ', ["a", "b"]],
    ['\u00a0["a"]', ["a"]],
    ['["\\u00e9\\t\\"\\\\"]', ['é\t"\\']],
    ['["\\ud800a"]', ["\ufffda"]],
    ['["\\ud83d\\udc4b"]', ["👋"]],
  ])("reads %j", (text, strings) => {
    expect(readJsonArray(text)).toEqual({ strings, isDisputed: false });
  });

  it.each(["", "a", '"a"', "['a']", '["a"', '["a",]', '["\\x"]', '["\t"]', '{"a": 1}', "[1e999]", "[-f /x]"])(
    "leaves %j to a shell",
    (text) => {
      expect(readJsonArray(text)).toEqual({ strings: undefined, isDisputed: false });
    },
  );

  it.each(['["a"] b', '["a"]["b"]', '["]"], x', "[] # comment", '[{"]": 1}] x', "[1] x"])(
    "notes that older front ends see an array in %j",
    (text) => {
      expect(readJsonArray(text)).toEqual({ strings: undefined, isDisputed: true });
    },
  );

  it.each(["[1]", '["a", null]', '[["a"]]', '[{"a": "b"}]', "[true]"])("refuses %j", (text) => {
    expect(() => readJsonArray(text)).toThrow("could not read the JSON array: it may hold strings only");
  });

  it("survives arrays nested deeper than Go's decoder goes", () => {
    const text = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;

    expect(readJsonArray(text)).toEqual({ strings: undefined, isDisputed: false });
  });
});
