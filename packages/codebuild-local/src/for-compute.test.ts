// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { parseBuildspec } from "./buildspec.ts";
import { forCompute } from "./for-compute.ts";

const buildspec = parseBuildspec(`
version: 0.2
phases:
  pre_build: { commands: ["true"] }
  build: { on-failure: CONTINUE, commands: ["true"] }
`);

it("takes on-failure from builds on Lambda compute, and says so", () => {
  const { phases, ignored } = forCompute(buildspec, {
    compute: { kind: "lambda", privileged: false, image: "lambda" },
  });

  expect(phases.build?.onFailure).toEqual({ kind: "default" });
  expect(phases.build?.commands).toEqual(["true"]);
  expect(ignored).toEqual(["on-failure of build: builds on Lambda compute have none"]);
});

it("leaves it to builds on EC2", () => {
  const compute = { kind: "ec2", privileged: false, image: "standard" } as const;

  expect(forCompute(buildspec, { compute })).toBe(buildspec);
});
