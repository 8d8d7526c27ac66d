// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Dockerfile, Stage } from "./instruction.ts";
import { parseDockerfile } from "./parse.ts";
import { baseStageOf, stageByFrom, stageByName, targetStage } from "./stage.ts";

const dockerfile = parse("FROM x AS deps", "FROM deps AS Build", "FROM y", "FROM z AS deps");

describe("targetStage", () => {
  it.each([
    [undefined, 3],
    ["", 3],
    ["build", 1],
    ["BUILD", 1],
    ["deps", 3],
  ])("finds the target %s in stage %i", (target, index) => {
    expect(targetStage(dockerfile, target).index).toBe(index);
  });

  it("suggests a name that is near", () => {
    expect(() => targetStage(dockerfile, "biuld")).toThrow(
      expect.objectContaining({ code: "DOCKERFILE_UNKNOWN_STAGE", hint: "write build if that is meant" }),
    );
  });

  it("lists all names if none is near, and takes no numbers", () => {
    const find = () => targetStage(dockerfile, "1");

    expect(find).toThrow("could not find the target 1: no stage in Dockerfile has that name");
    expect(find).toThrow(expect.objectContaining({ hint: "write one of deps, build, deps" }));
  });
});

describe("stageByFrom", () => {
  it.each([
    ["0", 3, 0],
    ["+1", 3, 1],
    ["-0", 3, 0],
    ["002", 3, 2],
    ["Build", 2, 1],
  ])("reads %s before stage %i as stage %i", (from, before, index) => {
    expect(stageByFrom(dockerfile, { from, before })?.index).toBe(index);
  });

  it.each(["alpine:3", "1.0", "stage-1", "99999999999999999999"])("takes %s for an image", (from) => {
    expect(stageByFrom(dockerfile, { from, before: 3 })).toBeUndefined();
  });

  it.each([
    ["4", "there is none of that number"],
    ["-1", "there is none of that number"],
    ["3", "it comes later"],
    ["2", "it is the stage itself"],
    ["deps", "it comes later"],
  ])("refuses %s in stage 2: %s", (from, why) => {
    const find = () => stageByFrom(dockerfile, { from, before: 2, at: dockerfile.stages[2]?.from.at });

    expect(find).toThrow(`could not copy from stage ${from}: ${why}`);
    expect(find).toThrow(
      expect.objectContaining({ code: "DOCKERFILE_UNKNOWN_STAGE", at: dockerfile.stages[2]?.from.at }),
    );
  });
});

describe("stageByName", () => {
  it("takes a number for an image's name", () => {
    expect(stageByName(dockerfile, { from: "0", before: 3 })).toBeUndefined();
    expect(stageByName(dockerfile, { from: "BUILD", before: 3 })?.index).toBe(1);
  });
});

describe("baseStageOf", () => {
  it("takes the last earlier stage of the name, never a later one", () => {
    const twice = parse("FROM x AS a", "FROM a AS a", "FROM a", "FROM y AS a");

    const bases = twice.stages.map((stage) => baseStageOf(twice, { base: stage.base, stage })?.index);

    expect(bases).toEqual([undefined, 0, 1, undefined]);
  });

  it("lets a stage take the place of scratch", () => {
    const own = parse("FROM scratch AS scratch", "FROM scratch");

    expect(baseStageOf(own, { base: "scratch", stage: own.stages[1] as Stage })?.index).toBe(0);
  });

  it("refuses a stage's name that is not in lower case", () => {
    const upper = parse("FROM x AS Base", "FROM Base");
    const stage = upper.stages[1] as Stage;

    expect(() => baseStageOf(upper, { base: "Base", stage })).toThrow(
      expect.objectContaining({ code: "DOCKERFILE_UNKNOWN_STAGE", hint: "write FROM base", at: stage.from.at }),
    );
  });
});

function parse(...lines: readonly string[]): Dockerfile {
  return parseDockerfile(`${lines.join("\n")}\n`, "Dockerfile");
}
