// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { firstIssue } from "./first-issue.ts";

describe("firstIssue", () => {
  it.each([
    [{ a: [{ b: 1 }] }, "a.0.b: invalid type: Expected string but received 1"],
    [{ a: [{ b: "" }, { b: 2 }, {}] }, "a.1.b: invalid type: Expected string but received 2"],
    [null, "invalid type: Expected Object but received null"],
  ])("names the place and the reason in one line: %o", (document, line) => {
    const schema = v.object({ a: v.array(v.object({ b: v.string() })) });

    const { issues } = v.safeParse(schema, document);

    expect(issues && firstIssue(issues)).toBe(line);
  });
});
