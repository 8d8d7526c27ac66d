// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Environment, expandWord, expandWords } from "./expand.ts";

interface Case {
  readonly word: string;
  readonly environment: Environment;
  readonly isError: boolean;
  readonly result: string;
}

const cases = readCases();

describe("BuildKit's own cases of expansion", () => {
  it("are many", () => {
    expect([cases.word.length, cases.words.length].map((count) => count > 20)).toEqual([true, true]);
    expect(cases.word.length).toBeGreaterThan(280);
  });

  it.each(cases.word)("$word gives $result", ({ word, environment, isError, result }) => {
    const expand = () => expandWord(word, environment, { escape: "\\" });

    const error = { code: "DOCKERFILE_SYNTAX", message: expect.stringContaining(result) };
    if (isError) expect(expand).toThrow(expect.objectContaining(error));
    else expect(expand()).toBe(result);
  });

  it.each(cases.words)("$word gives the words $result", ({ word, environment, isError, result }) => {
    const expand = () => expandWords(word, environment, { escape: "\\" });

    if (isError) expect(expand).toThrow(expect.objectContaining({ code: "DOCKERFILE_SYNTAX" }));
    else expect(expand()).toEqual(result.split(","));
  });
});

function readCases(): Readonly<Record<"word" | "words", readonly Case[]>> {
  const found = { word: [] as Case[], words: [] as Case[] };
  let section: keyof typeof found = "word";
  let environment: Environment = new Map();
  for (const line of readFileSync(new URL("../../test/moby/expansion.txt", import.meta.url), "utf8").split("\n")) {
    const [, kind, variables = "{}"] = /^\[(words?)\] (\{.*\})$/.exec(line) ?? [];
    if (kind !== undefined) {
      section = kind as keyof typeof found;
      environment = new Map(Object.entries(JSON.parse(variables) as Record<string, string>));
    } else if (line !== "" && !line.startsWith("# ")) {
      const [, word = "", mark, result = ""] = /^(.*?) (!?)=>(?: (.*))?$/.exec(line) ?? [];
      if (mark === undefined) throw new Error(`no case: ${line}`);
      found[section].push({ word, environment, isError: mark === "!", result: result.replaceAll("␠", " ") });
    }
  }
  return found;
}
