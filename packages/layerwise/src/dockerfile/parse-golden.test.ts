// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { isLayerwiseError, type SourceRange } from "../error.ts";
import type { Dockerfile } from "./instruction.ts";
import { parseDockerfile } from "./parse.ts";

// A folder per case. To add one, put an empty expected.json or expected-error.txt beside its Dockerfile and run with -u.
const cases = fileURLToPath(new URL("../../test/dockerfiles", import.meta.url));

describe("parseDockerfile", () => {
  it("has enough cases", () => {
    expect(readdirSync(cases).length).toBeGreaterThan(100);
  });

  it.each(readdirSync(cases))("reads %s as expected", async (name) => {
    const folder = `${cases}/${name}`;
    const text = readFileSync(`${folder}/Dockerfile`, "utf8");
    const expected = ["expected.json", "expected-error.txt"].filter((file) => existsSync(`${folder}/${file}`));

    const outcome = outcomeOf(text);

    expect(expected).toEqual([outcome.file]);
    await expect(outcome.text).toMatchFileSnapshot(`${folder}/${outcome.file}`);
  });
});

function outcomeOf(text: string): { file: string; text: string } {
  try {
    return { file: "expected.json", text: formatDockerfile(parseDockerfile(text, "Dockerfile")) };
  } catch (error) {
    if (!isLayerwiseError(error)) throw error;
    const { message, hint, at, details } = error;
    const { problems = [] } = details;
    const more = Array.isArray(problems) ? problems.map((problem) => `- ${problem}`) : [];
    const lines = [`${at === undefined ? "" : `${formatRange(at)} `}${message}`, `hint: ${hint}`, ...more];
    return { file: "expected-error.txt", text: `${lines.join("\n")}\n` };
  }
}

/** What repeats the text is left out, and what is usually empty where it is. */
function formatDockerfile({ file: _, text: __, ...dockerfile }: Dockerfile): string {
  const json = JSON.stringify(
    dockerfile,
    (key, value) => {
      if (key === "at") return formatRange(value);
      if (key === "source") return undefined;
      return (key === "unknownFlags" || key === "disputes") && value.length === 0 ? undefined : value;
    },
    2,
  );
  return `${json}\n`;
}

function formatRange({ start, end }: SourceRange): string {
  return `${start.line}:${start.column}-${end.line}:${end.column}`;
}
