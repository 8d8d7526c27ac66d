// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseGoDuration } from "./go-duration.ts";

describe("parseGoDuration", () => {
  it.each([
    ["0", 0],
    ["-0", 0],
    ["+0", 0],
    ["5s", 5e9],
    ["1m30s", 90e9],
    ["1h1m1s1ms1us1ns", 3_661_001_001_001],
    ["1.5h", 5_400e9],
    [".5s", 5e8],
    ["1.s", 1e9],
    ["-1.5s", -1.5e9],
    ["3\u00b5s", 3000],
    ["3\u03bcs", 3000],
    ["0.3333333333333333333h", 1_200_000_000_000],
    ["0.100000000000000000000h", 360_000_000_000],
    ["30s1m", 90e9],
    ["8760h", 31_536_000_000_000_000],
    ["-9223372036854775808ns", -(2 ** 63)],
  ])("reads %s as %d nanoseconds", (text, nanoseconds) => {
    expect(parseGoDuration(text)).toBe(nanoseconds);
  });

  it.each([
    "",
    "-",
    "5",
    "s",
    ".s",
    "1",
    "1 s",
    "1x",
    "1S",
    "1.2.3s",
    "--1s",
    "1s-",
    "1e3s",
    "9223372036854775808ns",
    "2562048h",
    "٣s",
  ])("refuses %j", (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  });

  it("reads what is written with whole units", () => {
    const part = fc.nat({ max: 999 });

    fc.assert(
      fc.property(part, part, part, (hours, minutes, milliseconds) => {
        const text = `${hours}h${minutes}m${milliseconds}ms`;

        expect(parseGoDuration(text)).toBe(hours * 3600e9 + minutes * 60e9 + milliseconds * 1e6);
      }),
    );
  });
});
