// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { chompHeredoc, parseHeading, readHeredocs } from "./heredoc.ts";

const plain = { expand: true, chomp: false, fileDescriptor: 0, isSpaced: false };

describe("parseHeading", () => {
  it.each([
    ["<<EOF", { ...plain, name: "EOF" }],
    ["<<-EOF", { ...plain, name: "EOF", chomp: true }],
    ["12<<EOF", { ...plain, name: "EOF", fileDescriptor: 12 }],
    ['<<"E F"', { ...plain, name: "E F", expand: false }],
    ["<<-'EOF'", { ...plain, name: "EOF", chomp: true, expand: false }],
    ["<<e'o'f", { ...plain, name: "eof", expand: false }],
    ["<<e\\'f", { ...plain, name: "e'f" }],
    ["<<'e'\\'", { ...plain, name: "e'", expand: false }],
    ["<<a.txt", { ...plain, name: "a.txt" }],
    ["<<$x", { ...plain, name: "$x" }],
    ["<<EOF>x", { ...plain, name: "EOF>x" }],
    ["<< EOF", { ...plain, name: "EOF", isSpaced: true }],
  ])("reads %s", (word, heading) => {
    expect(parseHeading(word)).toEqual(heading);
  });

  it.each(["<<", "<<-", "a<<EOF", "<EOF", "<<<EOF", "<<A<B", "<<E F", "<<''", "<<'E", "EOF", "-1<<EOF"])(
    "sees none in %s",
    (word) => {
      expect(parseHeading(word)).toBeUndefined();
    },
  );
});

describe("readHeredocs", () => {
  it("reads one after another, each up to its own name", () => {
    const lines = ["RUN <<A <<-B\n", "B\n", "A\n", "\tA\n", "\t\tB\r\n", "C\n"];

    const reading = readHeredocs("RUN <<A <<-B", { lines, from: 1 });

    expect(reading.heredocs.map(({ name, content }) => [name, content])).toEqual([
      ["A", "B\n"],
      ["B", "\tA\n"],
    ]);
    expect(reading.end).toBe(5);
    expect(reading.isDisputed).toBe(false);
  });

  it("sees none in a line with an open quote", () => {
    expect(readHeredocs('RUN echo "<<A <<B', { lines: [], from: 0 }).heredocs).toEqual([]);
  });

  it("takes a name behind blanks only if a line ends it", () => {
    const text = "RUN x << E && echo $((1 << 2))";

    const ended = readHeredocs("RUN x << E", { lines: ["a\n", "E\n"], from: 0 });
    const open = readHeredocs(text, { lines: ["a\n", "E\n"], from: 0 });

    expect(ended).toMatchObject({ end: 2, isDisputed: true, heredocs: [{ name: "E", content: "a\n" }] });
    expect(open).toEqual({ heredocs: [], end: 0, isDisputed: true });
  });

  it("names the first that does not end", () => {
    expect(() => readHeredocs("RUN <<A <<B", { lines: ["A\n", "A\n"], from: 0 })).toThrow(
      "could not find the end of the here-document B: no line repeats its name",
    );
  });
});

describe("chompHeredoc", () => {
  it("drops tabs at the start of lines, and no spaces", () => {
    expect(chompHeredoc("\t\ta\tb\n \tc\r\n\n\td\r\te")).toBe("a\tb\n \tc\r\n\nd\r\te");
  });
});
