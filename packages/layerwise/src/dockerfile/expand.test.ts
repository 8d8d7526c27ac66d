// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLayerwiseError } from "../error.ts";
import { type ExpandOptions, expandWord, expandWords } from "./expand.ts";

const table = readFileSync(new URL("../../test/expansion.txt", import.meta.url), "utf8").split("\n");

const environment: ReadonlyMap<string, string> = new Map(
  table.flatMap((line) => {
    const [, name = "", value = ""] = /^# {3}(\w+)=(.*)$/.exec(line) ?? [];
    return name === "" ? [] : [[name, value] as const];
  }),
);

const options: Readonly<Record<string, ExpandOptions>> = {
  "": { escape: "\\" },
  words: { escape: "\\" },
  "`": { escape: "`" },
  "skip-quotes": { escape: "\\", skipQuotes: true },
  "raw-quotes": { escape: "\\", rawQuotes: true },
  "raw-escapes": { escape: "\\", rawEscapes: true },
  "keep-unset": { escape: "\\", keepUnset: true },
};

interface Case {
  readonly section: string;
  readonly word: string;
  readonly isError: boolean;
  readonly result: string;
}

function readCases(): readonly Case[] {
  let section = "";
  return table.flatMap((line) => {
    const [, heading] = /^\[([^\]]*)\] /.exec(line) ?? [];
    const [, word, mark, result = ""] = /^(.*?) (!?)=>(?: (.*))?$/.exec(line) ?? [];
    if (word === undefined) section = heading ?? section;
    return word === undefined ? [] : [{ section, word, isError: mark === "!", result }];
  });
}

describe("expandWord", () => {
  it("has cases of all sections", () => {
    expect(new Set(readCases().map(({ section }) => section))).toEqual(new Set(Object.keys(options)));
  });

  it.each(readCases())("reads $word ($section) as $result", ({ section, word, isError, result }) => {
    const chosen = options[section] as ExpandOptions;
    const expand = () =>
      section === "words" ? expandWords(word, environment, chosen).join("|") : expandWord(word, environment, chosen);

    if (isError) expect(expand).toThrow(`could not expand "${word}": ${result}`);
    else expect(expand()).toBe(result);
  });

  it("keeps spaces of all kinds where no words are wanted", () => {
    const word = "  a\t\u00a0b\n";

    expect(expandWord(word, environment, { escape: "\\" })).toBe(word);
  });

  it("drops a byte order mark at the start, as Go's scanner does", () => {
    expect(expandWord("\ufeffa\ufeff", environment, { escape: "\\" })).toBe("a\ufeff");
  });

  it("does not let * and ? stand for a newline", () => {
    const lines = new Map([["x", "a\nb"]]);
    const word = ["#*", "##*", "%%*", "//?/-"].map((modifier) => `\${x${modifier}}`).join("|");

    expect(expandWord(word, lines, { escape: "\\" })).toBe("a\nb|\nb|a\n|-\n-");
  });

  it("takes the text of a word as the word of its error", () => {
    const expand = () => expandWord("a${", environment, { escape: "\\" });

    expect(expand).toThrow(
      expect.objectContaining({ code: "DOCKERFILE_SYNTAX", details: { word: "a${" }, at: undefined }),
    );
  });

  it("refuses words that are nested very deep", () => {
    const word = `${"${a:-".repeat(5000)}x${"}".repeat(5000)}`;

    expect(() => expandWord(word, environment, { escape: "\\" })).toThrow("nested deeper than 200");
  });

  it("throws nothing but syntax errors, and leaves text without special characters as it is", () => {
    const part = fc.constantFrom(
      "$",
      "{",
      "}",
      "x",
      ":-",
      "#",
      "%",
      "/",
      "*",
      "\\",
      "`",
      "'",
      '"',
      " ",
      "<",
      "é",
      "👋",
    );
    const word = fc.oneof(
      fc.string({ unit: "binary-ascii" }),
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")),
    );

    fc.assert(
      fc.property(word, (text) => {
        const expanded = resultOf(text);
        return !/^[^$'"\\\ufeff]*$/.test(text) || expanded === text;
      }),
    );
  });
});

describe("expandWords", () => {
  it("splits at all that Go calls a space, outside of quotes and escapes", () => {
    const text = "  a\tb\u00a0c\u2003d\u0085e \\\tf 'g h'\ufeffi\n";

    const words = expandWords(text, environment, { escape: "\\" });

    expect(words).toEqual(["a", "b", "c", "d", "e", "\tf", "g h\ufeffi"]);
  });
});

function resultOf(text: string): string | undefined {
  try {
    return expandWord(text, environment, { escape: "\\" });
  } catch (error) {
    if (!isLayerwiseError(error) || error.code !== "DOCKERFILE_SYNTAX") throw error;
    return undefined;
  }
}
