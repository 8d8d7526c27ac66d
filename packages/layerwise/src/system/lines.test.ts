// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { startLines } from "./lines.ts";

it.each([
  { what: "lines over several chunks", chunks: ["on", "e\ntw", "o\n"], expected: ["one", "two"] },
  { what: "a last line without its break", chunks: ["one\ntwo"], expected: ["one", "two"] },
  { what: "carriage returns before breaks", chunks: ["one\r", "\ntwo\r\n"], expected: ["one", "two"] },
  { what: "empty lines", chunks: ["\n\none\n"], expected: ["", "", "one"] },
  { what: "nothing", chunks: [], expected: [] },
])("cuts $what", ({ chunks, expected }) => {
  expect(cut(chunks.map((chunk) => Buffer.from(chunk)))).toEqual(expected);
});

it("keeps a character whole that two chunks share", () => {
  const bytes = Buffer.from("grün\n");

  const lines = cut([bytes.subarray(0, 3), bytes.subarray(3)]);

  expect(lines).toEqual(["grün"]);
});

it("hands out an endless line in pieces", () => {
  const lines = cut([Buffer.from("x".repeat(70_000))]);

  expect(lines.map((line) => line.length)).toEqual([65_536, 4_464]);
});

function cut(chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const splitter = startLines((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(chunk);
  splitter.end();
  return lines;
}
