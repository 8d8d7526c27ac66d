// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseByteSize } from "./byte-size.ts";
import { detectCheck, detectSyntax, parseEscape } from "./directive.ts";
import { type FlagKind, readFlags } from "./flags.ts";
import { chompHeredoc, parseHeading, readHeredocs } from "./heredoc.ts";
import { createIgnoreMatcher, parseIgnoreFile } from "./ignore.ts";
import type { Heredoc, Instruction } from "./instruction.ts";
import { readJsonArray } from "./json-array.ts";
import { splitLines } from "./lines.ts";
import { parseDockerfile } from "./parse.ts";
import { readStatements } from "./read-statements.ts";
import { parsePairs, splitWords } from "./words.ts";

type Reader = (input: never) => unknown;

const kinds: Readonly<Record<string, FlagKind>> = Object.fromEntries([
  ...[1, 2, 3, 4].map((number) => [`str${number}`, "text"]),
  ...[1, 2, 3, 4, 5].map((number) => [`bool${number}`, "switch"]),
]);

/** What the sections of the table ask of us. */
const readers: Readonly<Record<string, Reader>> = {
  "json array": (text: string) => readJsonArray(text).strings,
  words: (text: string) => splitWords(text, "\\"),
  pairs: (text: string) =>
    parsePairs(text, { keyword: "LABEL", mark: "\\" }).flatMap(({ name, value }) => [name, value]),
  flags: usedFlags,
  "unknown flags": (text: string) => instructionOf(text).unknownFlags,
  instruction: (text: string) => instructionOf(text),
  "health check": (text: string) => {
    const instruction = instructionOf(text);
    return instruction.kind === "healthcheck" ? [instruction.test, instruction.interval] : undefined;
  },
  run: (text: string) => {
    const instruction = instructionOf(text);
    if (instruction.kind !== "run") return undefined;
    const heredocs = instruction.heredocs.map(({ name, content, chomp }) => ({ name, content, chomp }));
    return [instruction.command.form, instruction.command.arguments, heredocs];
  },
  copy: (text: string) => {
    const instruction = instructionOf(text);
    if (instruction.kind !== "copy") return undefined;
    const heredocs = instruction.heredocs.map(({ name, content, expand }) => ({ name, content, expand }));
    return [instruction.sources, heredocs, instruction.destination];
  },
  "here-document heading": (text: string) => parseHeading(text)?.name ?? null,
  "here-documents of a line": (text: string) => {
    // Their contents are empty.
    const lines = ["EOF\n", "EOF2\n", "-EOF\n"];
    return readHeredocs(text, { lines, from: 0 }).heredocs.map(({ name }) => name);
  },
  "here-documents of a file": heredocsOf,
  chomp: (text: string) => chompHeredoc(text),
  "escape directive": (text: string) => parseEscape(splitLines(text), "Dockerfile"),
  "syntax directive": (text: string) => {
    const syntax = detectSyntax(text, "Dockerfile");
    return syntax === undefined ? null : [syntax.reference, syntax.at.start.line];
  },
  "check directive": (text: string) => detectCheck(text) ?? null,
  "ignore file": (text: string) => parseIgnoreFile(text),
  "clean patterns": (patterns: readonly string[]) => {
    const walk = createIgnoreMatcher(patterns).startWalk();
    return [walk.excludes("docs/README.md", false), walk.excludes("docs/a", false)];
  },
  size: (text: string) => {
    const bytes = parseByteSize(text);
    if (bytes === undefined) throw new Error("no size");
    return bytes;
  },
};

interface Case {
  readonly section: string;
  readonly input: string;
  readonly output: string | undefined;
}

const cases = readCases();

describe("the small texts of moby's tests", () => {
  it("are of all kinds", () => {
    expect(new Set(cases.map(({ section }) => section))).toEqual(new Set(Object.keys(readers)));
  });

  it.each(cases)("$section: $input", ({ section, input, output }) => {
    const read = () => (readers[section] as (input: unknown) => unknown)(JSON.parse(input));

    if (output === undefined) expect(read).toThrow();
    else expect(read()).toEqual(JSON.parse(output));
  });
});

function instructionOf(text: string): Instruction {
  const instruction = parseDockerfile(`FROM scratch\n${text}\n`, "Dockerfile").stages[0]?.instructions[0];
  if (instruction === undefined) throw new Error("no instruction");
  return instruction;
}

function heredocsOf(text: string): readonly Heredoc[] {
  const { located } = readStatements(splitLines(text), { file: "Dockerfile", escape: "\\" });
  return located[0]?.statement.heredocs ?? [];
}

function usedFlags(given: readonly string[]): Record<string, unknown> {
  const flags = readFlags(given, kinds);
  const used = Object.keys(kinds).filter((name) => flags.list(name).length > 0);
  return Object.fromEntries(
    used.map((name) => [name, kinds[name] === "switch" ? flags.switch(name) : flags.list(name)[0]]),
  );
}

function readCases(): readonly Case[] {
  let section = "";
  return readFileSync(new URL("../../test/moby/small.txt", import.meta.url), "utf8")
    .split("\n")
    .flatMap((line) => {
      section = /^\[([a-z -]+)\]$/.exec(line)?.[1] ?? section;
      const [, input, mark, output] = /^(.*) (!?)=>(?: (.*))?$/.exec(line.startsWith("#") ? "" : line) ?? [];
      return input === undefined ? [] : [{ section, input, output: mark === "!" ? undefined : output }];
    });
}
