// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseDockerLine } from "./command-line.ts";

describe("parseDockerLine", () => {
  it.each([
    ["push a:1", { verb: "push", args: ["a:1"] }],
    ["--config /c inspect a", { config: "/c", verb: "inspect", args: ["a"] }],
    ["--config=/c -D --host tcp://x image inspect a", { config: "/c", verb: "image inspect", args: ["a"] }],
    ["buildx build --tag a .", { verb: "build", args: ["--tag", "a", "."] }],
    ["buildx ls", { verb: "buildx ls", args: [] }],
    ["image ls -q", { verb: "images", args: ["-q"] }],
    ["run --config x a", { verb: "run", args: ["--config", "x", "a"] }],
    ["--version", { isVersion: true, verb: undefined, args: [] }],
    ["-v", { isVersion: true, verb: undefined, args: [] }],
    ["", { verb: undefined, args: [] }],
  ])("takes apart: %s", (line, expected) => {
    const argv = line.split(" ").filter((word) => word !== "");

    expect(parseDockerLine(argv)).toEqual({ config: undefined, isVersion: false, ...expected });
  });
});
