// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createIgnoreMatcher } from "./ignore.ts";

const lines = readFileSync(new URL("../../test/moby/patterns.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("# "));

describe("moby's own cases of ignore patterns", () => {
  it("are many", () => {
    expect(lines.length).toBeGreaterThan(120);
  });

  it.each(lines)("%s", (line) => {
    const [, patterns = "", mark, expected = ""] = /^(.*) (!?)\| (.*)$/.exec(line) ?? [];
    const isExcluded = expected.startsWith(">");
    const path = isExcluded ? expected.slice(1) : expected;

    const excludes = () => isLeftOut(patterns.split(" "), path);

    if (mark === "!") expect(excludes).toThrow(expect.objectContaining({ code: "DOCKERFILE_SYNTAX" }));
    else expect(excludes()).toBe(isExcluded);
  });
});

/** Walks to a path through all directories above it. */
function isLeftOut(patterns: readonly string[], path: string): boolean {
  const walk = createIgnoreMatcher(patterns).startWalk();
  const names = path.split("/").filter((name) => name !== "");
  const verdicts = names.map((_, index) => {
    const isDirectory = index < names.length - 1 || path.endsWith("/");
    return walk.excludes(names.slice(0, index + 1).join("/"), isDirectory);
  });
  return verdicts.at(-1) === true;
}
