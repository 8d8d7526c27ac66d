// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseEscape } from "./directive.ts";
import type { Instruction } from "./instruction.ts";
import { splitLines } from "./lines.ts";
import { parseDockerfile } from "./parse.ts";
import { parseFrom } from "./parse-from.ts";
import { parseInstruction } from "./parse-instruction.ts";
import { readStatements } from "./read-statements.ts";
import type { Statement } from "./statement.ts";

// The Dockerfiles of BuildKit's parser tests, and what it makes of them: see the README beside them.
const folder = fileURLToPath(new URL("../../test/moby", import.meta.url));
const cases = readdirSync(`${folder}/dockerfiles`);
const refused = readFileSync(`${folder}/refused.txt`, "utf8").split("\n");

describe("a Dockerfile of BuildKit's parser tests", () => {
  it("is one of many", () => {
    expect(cases.length).toBeGreaterThan(30);
  });

  it.each(cases)("%s is read as there", (name) => {
    const statements = statementsOf(readFileSync(`${folder}/dockerfiles/${name}/Dockerfile`, "utf8"));

    const result = statements.map((statement) => `(${statement.keyword}${argumentsOf(statement)})`);

    const expected = readFileSync(`${folder}/dockerfiles/${name}/result`, "utf8").trimEnd().split("\n");
    const isRefused = (line: string) => refused.includes(`${name} ${line}`);
    expect(result).toEqual(expected.map((line) => (isRefused(line) ? "(healthcheck refused)" : line)));
  });

  it.each(readdirSync(`${folder}/dockerfiles-refused`))("%s is refused as there", (name) => {
    const text = readFileSync(`${folder}/dockerfiles-refused/${name}/Dockerfile`, "utf8");

    expect(() => parseDockerfile(text, "Dockerfile")).toThrow(expect.objectContaining({ code: "DOCKERFILE_SYNTAX" }));
  });

  it("has its instructions in the same lines", () => {
    const statements = statementsOf(readFileSync(`${folder}/line-numbers/Dockerfile`, "utf8"));

    expect(statements.map(({ at }) => [at.start.line, at.end.line])).toEqual([
      [5, 5],
      [11, 12],
      [17, 31],
    ]);
  });

  it("is refused when a line is longer than Go's scanner allows", () => {
    const text = `\n\t\tFROM image\n\t\tLABEL test=${"a".repeat(64 * 1024)}\n`;

    expect(() => parseDockerfile(text, "Dockerfile")).toThrow("a line is longer than 65535 bytes");
  });
});

function statementsOf(text: string): readonly Statement[] {
  const lines = splitLines(text);
  const { located, problem } = readStatements(lines, { file: "Dockerfile", escape: parseEscape(lines, "Dockerfile") });
  if (problem !== undefined) throw problem;
  return located.map(({ statement }) => statement);
}

/** As BuildKit's `Node.Dump` writes them. */
function argumentsOf(statement: Statement): string {
  const flags = statement.flags.length === 0 ? "" : ` [${statement.flags.map(quoted).join(" ")}]`;
  if (statement.keyword === "from") return `${flags} ${quoted(parseFrom(statement).base)}`;
  try {
    const words = wordsOf(parseInstruction(statement));
    return flags + words.map((word) => ` ${word}`).join("");
  } catch (error) {
    if (statement.keyword !== "healthcheck") throw error;
    return " refused";
  }
}

function wordsOf(instruction: Instruction): readonly string[] {
  switch (instruction.kind) {
    case "run":
    case "cmd":
    case "entrypoint":
      return instruction.command.arguments.map(quoted);
    case "copy":
    case "add":
      return [...instruction.sources, instruction.destination].map(quoted);
    case "env":
    case "label":
      return instruction.pairs.flatMap(({ name, value }) => [name, value]).map(quoted);
    case "arg":
      return instruction.declarations.map(({ name, value }) => quoted(value === undefined ? name : `${name}=${value}`));
    case "user":
    case "stopsignal":
    case "maintainer":
      return [quoted(instruction.value)];
    case "expose":
    case "volume":
      return instruction.values.map(quoted);
    case "workdir":
      return [quoted(instruction.path)];
    case "shell":
      return instruction.arguments.map(quoted);
    case "healthcheck":
      return ["CMD", ...instruction.test.slice(1)].map(quoted);
    case "onbuild":
      return statementsOf(instruction.trigger).map((inner) => `(${inner.keyword}${argumentsOf(inner)})`);
  }
}

/** As Go's `strconv.Quote` writes the characters that occur here. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/\\u00/g, "\\x");
}
