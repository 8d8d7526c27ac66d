// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { readPlainProgress } from "./plain-progress.ts";

describe("readPlainProgress", () => {
  it.each([
    ["ERROR: failed to read it", "failed to read it"],
    ["error: failed to read it", "failed to read it"],
    ["failed to solve: failed to read it", "failed to read it"],
    ["failed to solve with frontend dockerfile.v0: failed to read it", "failed to read it"],
    ["failed to solve with frontend gateway.v0: failed to read it", "failed to read it"],
    ["#5 ERROR: failed to read it", undefined],
    ["#5 0.3 ERROR: the command's own words", undefined],
  ])("reads why a build failed from: %s", (line, why) => {
    const progress = readPlainProgress();

    progress.line(line);

    expect(progress.error()).toBe(why);
  });

  it("follows a step from its name to its end", () => {
    const progress = readPlainProgress();
    const lines = ["#7 [2/3] RUN true", "#7 0.2 output", "#7 DONE 0.3s", "#8 [3/3] COPY a /a", "#8 CACHED"];

    const steps = lines.flatMap((line) => progress.line(line)).filter(({ kind }) => kind === "engine-step");

    expect(steps).toEqual([
      { kind: "engine-step", name: "[2/3] RUN true", state: "started" },
      { kind: "engine-step", name: "[2/3] RUN true", state: "done", duration: 300 },
      { kind: "engine-step", name: "[3/3] COPY a /a", state: "started" },
      { kind: "engine-step", name: "[3/3] COPY a /a", state: "cached" },
    ]);
    expect(progress.failed).toEqual([]);
  });

  it("names the step that failed, and none that was given up because of it", () => {
    const progress = readPlainProgress();

    for (const line of ["#7 [a 2/2] RUN false", "#8 [b 2/2] RUN true", "#7 ERROR: exit code: 1", "#8 CANCELED"]) {
      progress.line(line);
    }

    expect(progress.failed).toEqual(["[a 2/2] RUN false"]);
  });
});
