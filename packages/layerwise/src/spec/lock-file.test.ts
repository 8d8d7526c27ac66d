// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { digestOf } from "./digest.ts";
import { decodeLockFile, encodeLockFile } from "./lock-file.ts";

describe("a lock file", () => {
  it("is sorted, ends its last line, and is read back", () => {
    const bases = new Map([
      ["python:3", digestOf("p")],
      ["alpine", digestOf("a")],
    ]);

    const text = encodeLockFile(bases);

    expect(text).toBe(
      `{\n  "version": 1,\n  "bases": {\n    "alpine": "${digestOf("a")}",\n    "python:3": "${digestOf("p")}"\n  }\n}\n`,
    );
    expect(decodeLockFile(text, "layerwise.lock")).toEqual(bases);
  });

  it.each([
    ["", "could not read f: invalid type"],
    ["{}", "could not read f: version"],
    ['{"version":2,"bases":{}}', "could not read f: version"],
    ['{"version":1,"bases":{"a":"sha256:1"}}', "could not read f: bases.a: not a sha256 digest"],
  ])("is refused as %j", (text, message) => {
    expect(() => decodeLockFile(text, "f")).toThrow(message);
  });
});
