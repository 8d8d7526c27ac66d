// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { median, spread } from "./statistics.ts";

describe("median", () => {
  it.each([
    { figures: [3], middle: 3 },
    { figures: [9, 1, 5], middle: 5 },
    { figures: [10, 9, 1, 2], middle: 5.5 },
  ])("of $figures is $middle", ({ figures, middle }) => {
    expect(median(figures)).toBe(middle);
  });

  it("of nothing is refused", () => {
    expect(() => median([])).toThrow("there are no figures");
  });
});

it("shows the middle with both ends", () => {
  expect(spread([2, 30, 1], (figure) => `${figure} s`)).toBe("2 s (1 s..30 s)");
});
