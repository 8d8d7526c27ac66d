// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { detectCheck, detectSyntax, parseEscape } from "./directive.ts";
import { splitLines } from "./lines.ts";

describe("detectSyntax", () => {
  it.each([
    ["# syntax=a/b:1\nFROM x\n", "a/b:1", 1],
    ["#syntax = a/b:1 more words  \r\nFROM x\n", "a/b:1", 1],
    ["\ufeff# SYNTAX=a\n", "a", 1],
    ["# escape=`\n# check=skip=all\n# syntax=a\n", "a", 3],
    ["#!/bin/sh\n# syntax=a\n", "a", 2],
    ["// syntax=a\n{}\n", "a", 1],
    ["//syntax=a", "a", 1],
    ['{"syntax": "a b", "other": [1]}', "a b".split(" ")[0], 1],
    ['#!/bin/sh\n{\n"syntax": "a"}\n', "a", 2],
    ["# syntax=a\n# syntax=b\n", "a", 1],
  ])("finds in %j the front end %s", (text, reference, line) => {
    const syntax = detectSyntax(text, "f");

    expect(syntax?.reference).toBe(reference);
    expect(syntax?.at.start.line).toBe(line);
  });

  it.each([
    "FROM x\n# syntax=a\n",
    "\n# syntax=a\n",
    "# comment\n# syntax=a\n",
    " # syntax=a\n",
    "# syntax=\n",
    "# syn-tax=a\n",
    "# escape=`\n// syntax=a\n",
    '{"syntax": ""}',
    '{"syntax": 1}',
    '["syntax"]',
    '{"syntax": "a"',
    "",
  ])("finds none in %j", (text) => {
    expect(detectSyntax(text, "f")).toBeUndefined();
  });
});

describe("detectCheck", () => {
  it("gives the value as written", () => {
    expect(detectCheck("#!x\n# syntax=a\n# Check = skip=A,B;error=true \nFROM x\n")).toBe("skip=A,B;error=true");
  });

  it("knows only the one spelling", () => {
    expect(detectCheck("// check=error=true\n")).toBeUndefined();
  });
});

describe("parseEscape", () => {
  it.each([
    ["FROM x\n", "\\"],
    ["# escape=`\n", "`"],
    [" \t# escape = ` \n", "`"],
    ["#!x\n# escape=`\n", "\\"],
    ["# check=a\n# escape=`\n", "`"],
    ["# unknown=a\n# escape=`\n", "\\"],
  ])("reads %j as %s", (text, expected) => {
    expect(parseEscape(splitLines(text), "f")).toBe(expected);
  });

  it.each(["# escape=a\n", "# escape=\\\\\n", "# escape=`\n# escape=`\n", "# check=a\n# check=a\n"])(
    "refuses %j, and says where",
    (text) => {
      expect(() => parseEscape(splitLines(text), "f")).toThrow(
        expect.objectContaining({ code: "DOCKERFILE_SYNTAX", at: expect.objectContaining({ file: "f" }) }),
      );
    },
  );
});
