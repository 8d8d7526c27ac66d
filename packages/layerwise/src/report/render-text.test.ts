// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { formatBytes } from "./render-text.ts";

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [998, "998 B"],
    [1000, "1.00 kB"],
    [999_400, "999 kB"],
    [999_600, "1.00 MB"],
    [1_164_000, "1.16 MB"],
    [999_999_999, "1.00 GB"],
    [163_400_000, "163 MB"],
  ])("shows %i as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
