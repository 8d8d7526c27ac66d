// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { isSpace, splitAtBlank, splitBlanks, trimSpace, trimSpaceStart } from "./space.ts";

describe("isSpace", () => {
  it("is true of exactly what Go calls a space", () => {
    const spaces = [];
    for (let code = 0; code <= 0xffff; code++) if (isSpace(String.fromCharCode(code))) spaces.push(code);

    expect(spaces).toEqual([
      9, 10, 11, 12, 13, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007,
      0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
    ]);
  });
});

describe("trimSpace", () => {
  it("removes spaces at the ends only", () => {
    expect(trimSpace("\u0085 a b\t\u3000")).toBe("a b");
    expect(trimSpaceStart("\u00a0 a ")).toBe("a ");
    expect(trimSpace(" \t ")).toBe("");
  });

  it("is quick on a long run of spaces in the middle", () => {
    const text = `a${" ".repeat(60_000)}b`;

    expect(trimSpace(text)).toBe(text);
  });
});

describe("splitBlanks", () => {
  it("splits at blanks, which other spaces are not", () => {
    expect(splitBlanks("a \t b\u00a0c\nd\re")).toEqual(["a", "b\u00a0c\nd", "e"]);
  });
});

describe("splitAtBlank", () => {
  it("splits once", () => {
    expect(splitAtBlank("a  b c")).toEqual(["a", "b c"]);
    expect(splitAtBlank("a")).toEqual(["a", undefined]);
  });
});
