// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.ts";

describe("nearest", () => {
  const names = ["from", "run", "env", "copy", "healthcheck", "builder"];

  it.each([
    ["FORM", "from"],
    ["rnu", "run"],
    ["CPOY", "copy"],
    ["HELTHCHEK", "healthcheck"],
    ["bulider", "builder"],
    ["run", "run"],
  ])("takes %s for %s", (word, name) => {
    expect(nearest(word, names)).toBe(name);
  });

  it.each(["git", "r", "apt-get", "builders-2", ""])("takes %j for nothing", (word) => {
    expect(nearest(word, names)).toBeUndefined();
  });

  it("prefers the name with the fewest slips, and of equals the first", () => {
    expect(nearest("cat", ["cart", "cats", "bat"])).toBe("cart");
    expect(nearest("cat", ["cost", "cat"])).toBe("cat");
  });
});
