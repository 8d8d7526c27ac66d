// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { readOptions } from "./options.ts";

describe("readOptions", () => {
  it("takes SOURCE_DATE_EPOCH for a build argument, as buildx does, unless it is one", () => {
    const env = { SOURCE_DATE_EPOCH: "1", A: "2", B: "3" };

    const alone = readOptions(".", { flags: {}, env });
    const given = readOptions(".", { flags: { buildArg: ["SOURCE_DATE_EPOCH=5", "A"] }, env });
    const empty = readOptions(".", { flags: {}, env: { SOURCE_DATE_EPOCH: "" } });

    expect([...alone.buildArgs]).toEqual([["SOURCE_DATE_EPOCH", "1"]]);
    expect([...given.buildArgs]).toEqual([
      ["SOURCE_DATE_EPOCH", "5"],
      ["A", "2"],
    ]);
    expect([...empty.buildArgs]).toEqual([]);
  });
});
