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

const namesOf = (cases: readonly CorpusCase[]) => cases.map(({ name }) => name);

describe("selectCorpus", () => {
  it("takes every case on every kind of engine for all", () => {
    expect(selectCorpus("all", { cases, kinds })).toEqual({ cases, kinds });
  });

  it("takes a part with all important cases on the oldest engine and the newest by default", () => {
    const sample = selectCorpus(undefined, { cases, kinds });

    const important = cases.filter((one) => one.important);
    expect(sample.kinds).toEqual([kinds[0], kinds[3]]);
    expect(namesOf(sample.cases)).toEqual(expect.arrayContaining(namesOf(important)));
    expect(sample.cases.length).toBeGreaterThan(important.length);
    expect(sample.cases.length).toBeLessThan(cases.length / 3);
  });

  it("takes a case or leaves it whatever other cases there are", () => {
    const [whole, half] = [cases, cases.slice(0, cases.length / 2)].map((some) =>
      namesOf(selectCorpus("sample", { cases: some, kinds }).cases),
    );

    const halfNames = namesOf(cases.slice(0, cases.length / 2));
    expect(half).toEqual(whole?.filter((name) => halfNames.includes(name)));
  });

  it("refuses a word that it does not know", () => {
    expect(() => selectCorpus("some", { cases: [], kinds })).toThrow("LAYERWISE_CORPUS is some");
  });
});

describe("seesCase", () => {
  const [important, plain] = cases as [CorpusCase, CorpusCase];
  const running = { ...plain, dockerfile: "FROM ${TINY}\nRUN true\n" };

  it("takes important cases and what runs, on the newest generation", () => {
    const seen = [important, plain, running].map((one) => kinds.map((kind) => seesCase("sample", one, kind)));

    const newest = [false, false, true, true];
    expect(seen).toEqual([newest, newest.map(() => false), newest]);
  });

  it("takes every case for all", () => {
    expect(kinds.every((kind) => seesCase("all", plain, kind))).toBe(true);
  });

  it("refuses a word that it does not know", () => {
    expect(() => seesCase("some", plain, kinds[0])).toThrow("LAYERWISE_VIEWS is some");
  });
});
