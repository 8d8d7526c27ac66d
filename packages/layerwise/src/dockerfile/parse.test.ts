// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLayerwiseError } from "../error.ts";
import type { Dockerfile, InstructionBase } from "./instruction.ts";
import { parseDockerfile, parseTrigger } from "./parse.ts";

const file = "Dockerfile";
const at = { file, start: { line: 7, column: 1 }, end: { line: 7, column: 9 } };

describe("parseDockerfile", () => {
  it("keeps the text, and of each instruction the lines as written", () => {
    const text = "# head\nFROM a\n  RUN x \\\n  # why\n  y\r\n\nCOPY <<E /e\r\none\nE\nCMD z";

    const dockerfile = parseDockerfile(text, "build/app.Dockerfile");

    expect(dockerfile.text).toBe(text);
    expect(allOf(dockerfile).map(({ source }) => source)).toEqual([
      "FROM a",
      "  RUN x \\\n  # why\n  y",
      "COPY <<E /e\r\none\nE",
      "CMD z",
    ]);
    expect(allOf(dockerfile).every((base) => base.at.file === "build/app.Dockerfile")).toBe(true);
  });

  it("leaves no open continuation at the end of a source", () => {
    const { stages } = parseDockerfile("FROM a\nRUN x \\\n  y \\\n# end\n\n", file);

    expect(stages[0]?.instructions[0]?.source).toBe("RUN x   y");
  });

  it("lists all problems in their order, and takes the first for the message and the place", () => {
    const parse = () => parseDockerfile("FROM a\nENV x\nLABEL\nRUN <<E\n", file);

    expect(parse).toThrow(
      expect.objectContaining({
        message: 'could not read ENV: "x" has no value (and 2 more problems)',
        at: { file, start: { line: 2, column: 5 }, end: { line: 2, column: 5 } },
        details: {
          word: "x",
          problems: [
            'line 2: could not read ENV: "x" has no value',
            "line 3: could not read LABEL: a name and a value are needed",
            "line 4: could not find the end of the here-document E: no line repeats its name",
          ],
        },
      }),
    );
  });

  it("does not blame instructions behind a FROM that it cannot read", () => {
    expect(() => parseDockerfile("FROM a b\nRUN x\n", file)).toThrow(/^could not read FROM: [^()]*$/);
  });

  it("points at a word in a continued line", () => {
    const parse = () => parseDockerfile("FROM a\nCOPY --chown=1 \\\n  --link=perhaps \\\n  a b\n", file);

    expect(parse).toThrow(
      expect.objectContaining({ at: { file, start: { line: 3, column: 3 }, end: { line: 3, column: 16 } } }),
    );
  });

  it("refuses a line of more than 65535 bytes, as BuildKit's scanner does", () => {
    const comment = (bytes: number) => `FROM a\n#${"é".repeat((bytes - 1) / 2)}\n`;

    expect(parseDockerfile(comment(65_535), file).stages).toHaveLength(1);
    expect(() => parseDockerfile(comment(65_537), file)).toThrow(
      "could not read Dockerfile: a line is longer than 65535 bytes",
    );
  });

  it("notes the front end and the checks that the file asks for", () => {
    const text = "# syntax=docker/dockerfile:1 extra\n# check=skip=all;error=true\nFROM a\n";

    const { syntax, check } = parseDockerfile(text, file);

    expect(syntax).toEqual({
      reference: "docker/dockerfile:1",
      at: { file, start: { line: 1, column: 1 }, end: { line: 1, column: 34 } },
    });
    expect(check).toBe("skip=all;error=true");
  });

  it("reads its own sources again, with the same result", () => {
    const text =
      '# escape=`\nARG V=1\nFROM a:$V AS b\nRUN x `\n # c\n y\nCOPY <<E <<-F /e\none\nE\n\ttwo\n\tF\nCMD ["z"]\n';
    const dockerfile = parseDockerfile(text, file);

    const again = parseDockerfile(
      `# escape=\`\n${allOf(dockerfile)
        .map(({ source }) => source)
        .join("\n")}\n`,
      file,
    );

    expect(again.stages).toEqual(dockerfile.stages);
  });

  it("throws nothing but syntax errors, and finds each source where it says", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const dockerfile = resultOf(text);
        if (dockerfile === undefined) return;
        const lines = text.replace(/^\ufeff/, "").split("\n");

        for (const { at: range, source, text: joined } of allOf(dockerfile)) {
          const found = lines
            .slice(range.start.line - 1, range.end.line)
            .join("\n")
            .replace(/\r+$/, "");
          expect([found, joined]).toContain(source);
          expect(joined).not.toMatch(/^[\t-\r ]|\n|[\t-\r ]$/);
          expect(range.end.column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("covers every line that is neither empty nor a comment by one instruction", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const dockerfile = resultOf(text);
        if (dockerfile === undefined) return;
        const owners = new Map<number, number>();
        for (const { at: range } of allOf(dockerfile)) {
          for (let line = range.start.line; line <= range.end.line; line++)
            owners.set(line, (owners.get(line) ?? 0) + 1);
        }

        for (const [index, line] of text
          .replace(/^\ufeff/, "")
          .split("\n")
          .entries()) {
          const isFree = /^[\s\u0085]*(#|$)/.test(line);
          expect(owners.get(index + 1) ?? 0).toBeLessThanOrEqual(1);
          if (!isFree) expect(owners.get(index + 1)).toBe(1);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("parseTrigger", () => {
  it("reads the instruction, at the place of the FROM that runs it", () => {
    const trigger = "RUN --mount=type=cache,target=/c <<-EOF\n\ta\n\tEOF";

    const instruction = parseTrigger(trigger, at);

    expect(instruction).toMatchObject({
      kind: "run",
      at,
      source: trigger,
      mounts: ["type=cache,target=/c"],
      heredocs: [{ name: "EOF", content: "\ta\n" }],
    });
  });

  it.each([
    ["FROM a", "it is not one instruction of a stage"],
    ["RUN a\nRUN b", "it is not one instruction of a stage"],
    ["", "it is not one instruction of a stage"],
    ["NOSUCH a", 'could not read the instruction "NOSUCH": there is none of that name'],
    ["RUN <<E\n", "could not find the end of the here-document E: no line repeats its name"],
  ])("refuses %j", (trigger, why) => {
    const parse = () => parseTrigger(trigger, at);

    expect(parse).toThrow(expect.objectContaining({ code: "DOCKERFILE_SYNTAX", at }));
    expect(parse).toThrow(`could not use the trigger "${trigger}" of the base: ${why}`);
  });
});

const anyText = fc
  .array(
    fc.constantFrom(
      ...[
        "FROM a",
        "\n",
        "\n",
        "\n",
        "RUN ",
        "COPY ",
        "ENV ",
        "ARG ",
        "LABEL ",
        "ONBUILD ",
        "CMD ",
        "HEALTHCHECK ",
        "EXPOSE ",
      ],
      ...[
        "a",
        "b=c",
        " ",
        "\t",
        "\\",
        "\\\n",
        "`",
        "# escape=`\n",
        "#",
        '"',
        "'",
        '["a"]',
        "[1]",
        "<<E",
        "<<-E",
        "<< E",
        "\nE\n",
        "E",
      ],
      ...[
        "--x",
        "--link",
        "--from=$a",
        "--mount=from=a",
        `\${x:-y}`,
        "é",
        "\ufeff",
        "\r\n",
        "\u00a0",
        "\u0085",
        "CMD",
        "NONE",
      ],
    ),
    { maxLength: 24 },
  )
  .map((parts) => `FROM x\n${parts.join("")}`);

function allOf({ globalArgs, stages }: Dockerfile): readonly InstructionBase[] {
  return [...globalArgs, ...stages.flatMap(({ from, instructions }) => [from, ...instructions])];
}

function resultOf(text: string): Dockerfile | undefined {
  try {
    return parseDockerfile(text, file);
  } catch (error) {
    if (!isLayerwiseError(error) || error.code !== "DOCKERFILE_SYNTAX") throw error;
    return undefined;
  }
}
