// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { CorpusCase } from "../e2e/corpus-case.ts";
import { seesCase, selectCorpus } from "../e2e/corpus-selection.ts";

const kinds = [
  { generation: 20, store: "classic" },
  { generation: 26, store: "containerd" },
  { generation: 28, store: "classic" },
  { generation: 28, store: "containerd" },
] as const;

const cases = Array.from(
  { length: 200 },
  (_, index): CorpusCase => ({
    name: `case-${index}`,
    dockerfile: "FROM scratch\n",
    file: "Dockerfile",
    description: "Nothing.",
    since: 20,
    until: 28,
    important: index % 20 === 0,
    options: [],
    bases: {},
    context: [],
    steps: [{ route: "reuse" }],
  }),
);

const names = (wanted: string | undefined, some = cases) =>
  selectCorpus(wanted, { cases: some, kinds }).map((one) => one.cases.map(({ name }) => name));

describe("selectCorpus", () => {
  it("takes every case on every kind of engine for all", () => {
    expect(selectCorpus("all", { cases, kinds })).toEqual(kinds.map((kind) => ({ kind, cases })));
  });

  it("leaves out engines that a case is not for", () => {
    const [one] = cases as [CorpusCase];
    const some = [{ ...one, name: "old", until: 20 } as const, { ...one, name: "new", since: 28 } as const];

    expect(names("all", some)).toEqual([["old"], [], ["new"], ["new"]]);
  });

  it("takes important cases on every engine by default, and some of the others on one", () => {
    const sample = names(undefined);

    const important = cases.filter((one) => one.important).map(({ name }) => name);
    for (const one of sample) expect(one).toEqual(expect.arrayContaining(important));
    const others = sample.flatMap((one) => one.filter((name) => !important.includes(name)));
    expect(new Set(others).size).toBe(others.length);
    expect(others.length).toBeGreaterThan(cases.length / 32);
    expect(others.length).toBeLessThan(cases.length / 8);
  });

  it("takes a case or leaves it whatever other cases there are", () => {
    const half = cases.slice(0, cases.length / 2);

    const halfNames = half.map(({ name }) => name);
    expect(names("sample", half)).toEqual(names("sample").map((one) => one.filter((name) => halfNames.includes(name))));
  });

  it("refuses a word that it does not know", () => {
    expect(() => selectCorpus("some", { cases: [], kinds })).toThrow("LAYERWISE_CORPUS is some");
  });
});

describe("seesCase", () => {
  const [important, plain] = cases as [CorpusCase, CorpusCase];

  it("takes important cases on the newest generation", () => {
    const seen = [important, plain].map((one) => kinds.map((kind) => seesCase("sample", one, kind)));

    const newest = [false, false, true, true];
    expect(seen).toEqual([newest, newest.map(() => false)]);
  });

  it("takes every case for all", () => {
    expect(kinds.every((kind) => seesCase("all", plain, kind))).toBe(true);
  });

  it("refuses a word that it does not know", () => {
    expect(() => seesCase("some", plain, kinds[0])).toThrow("LAYERWISE_VIEWS is some");
  });
});
