// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { sampleHistory } from "../../test/sample-reports.ts";
import { type BuildRecord, keyedArguments } from "../spec/build-record.ts";
import { readBuildRecord } from "../spec/record-document.ts";
import { sortRecords } from "./recorded-builds.ts";

const [newest] = sampleHistory() as readonly [BuildRecord];
const first = made({ ...newest, revision: "a".repeat(40) });
const second = { ...newest, revision: "b".repeat(40) };
const commits = new Set([first.revision, second.revision] as string[]);
const asked = { commits, platform: newest.platform, target: undefined, buildArgs: new Map<string, string>() };

function made(record: BuildRecord): BuildRecord {
  const stages = record.stages.map((stage) => ({
    ...stage,
    steps: stage.steps.map((step) => ({ ...step, state: "made" as const })),
  }));
  return { ...record, stages };
}

function reasonOf(record: BuildRecord, others = {}): string | undefined {
  const [, sorted] = sortRecords([first, record], { ...asked, ...others });
  return sorted?.uncompared && [sorted.uncompared.why, sorted.uncompared.detail].join(" ").trim();
}

describe("a record of the past", () => {
  it("is compared if it is of a commit that is looked at", () => {
    expect(sortRecords([first, second], asked).map(({ uncompared }) => uncompared)).toEqual([undefined, undefined]);
  });

  const given = new Map([
    ["A", "1"],
    ["B", "2"],
  ]);
  const buildArgs = keyedArguments(second.salt, given);

  it.each([
    ["has no revision", { ...second, revision: undefined }, {}, "no-revision"],
    ["is of another commit", { ...second, revision: "c".repeat(40) }, {}, `other-revision ${"c".repeat(40)}`],
    ["is for another platform", { ...second, platform: "linux/arm64" }, {}, "platform linux/arm64"],
    ["is for another target", { ...second, target: "test" }, {}, "target test"],
    ["had an argument more", { ...second, buildArgs }, { buildArgs: new Map([["A", "1"]]) }, "arguments B"],
    ["had another value", { ...second, buildArgs }, { buildArgs: new Map([...given, ["A", "x"]]) }, "arguments A"],
    ["used no checkpoints", { ...second, noCache: true }, {}, "no-cache"],
    ["used none for a stage", { ...second, noCache: ["app"] }, {}, "no-cache app"],
  ] as const)("is not if it %s", (_, record, others, reason) => {
    expect(reasonOf(record, others)).toBe(reason);
  });

  it("is compared if it had the same arguments, or is of a version that did not write them down", () => {
    expect(reasonOf({ ...second, buildArgs }, { buildArgs: given })).toBeUndefined();
    expect(reasonOf({ ...second, buildArgs: undefined }, { buildArgs: given })).toBeUndefined();
  });

  it("is read without arguments", () => {
    const { buildArgs: _, ...older } = JSON.parse(JSON.stringify({ ...second, buildArgs })) as BuildRecord;

    expect(readBuildRecord(older)).toMatchObject({ version: 1, revision: second.revision });
    expect(readBuildRecord({ ...older, buildArgs })).toMatchObject({ buildArgs });
  });

  it("is not compared if it is the oldest and something was there before it", () => {
    const [before] = sortRecords([{ ...first, previous: "sha256:1" }, second], asked);
    const [reusing] = sortRecords([second], asked);

    expect(before?.uncompared?.why).toBe("oldest");
    expect(reusing?.uncompared?.why).toBe("oldest");
  });
});
