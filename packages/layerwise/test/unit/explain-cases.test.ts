// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { explainBuild } from "../../src/explain/compare-builds.ts";
import { describeCause } from "../../src/explain/describe-cause.ts";
import { explainRecords } from "../../src/explain-build.ts";
import { type ExplainCase, loadExplainCases, recordAfter, recordOfDraft } from "../explain-case.ts";

const cases = loadExplainCases();

function explanationOf(one: ExplainCase) {
  const record = recordOfDraft(one.from);
  const after = recordAfter(one);
  if (one.made !== undefined) return explainBuild(after, { kind: "build", record, name: "before" });
  return explainRecords({ name: "before", record }, { name: "after", record: after }).explanation;
}

describe("explain", () => {
  it("has at least forty cases", () => {
    expect(cases.length).toBeGreaterThanOrEqual(40);
  });

  it.each(cases.map((one) => [one.name, one] as const))("names the true cause first: %s", (_, one) => {
    const { steps } = explanationOf(one);

    const found = steps.map(({ line, causes: [first] }) => ({ line, kind: first.kind }));
    expect(found).toEqual(one.causes.map(({ line, kind }) => ({ line, kind })));
    for (const [index, { says = [] }] of one.causes.entries()) {
      const cause = steps[index]?.causes[0];
      const { text, details } = cause === undefined ? { text: "", details: [] } : describeCause(cause);
      for (const part of says) expect([text, ...details].join("\n")).toContain(part);
    }
  });
});
