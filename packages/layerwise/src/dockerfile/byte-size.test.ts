// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseByteSize } from "./byte-size.ts";

describe("parseByteSize", () => {
  it.each([
    ["0", 0],
    ["64", 64],
    ["64b", 64],
    ["1k", 1024],
    ["1KB", 1024],
    ["1kib", 1024],
    ["64m", 67_108_864],
    ["1.5 GiB", 1_610_612_736],
    [".5M", 524_288],
    ["2t", 2_199_023_255_552],
    ["1p", 1_125_899_906_842_624],
  ])("reads %s as %i bytes", (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(["", "m", "-1", "1x", "1bb", "1 k b", "1mbi", "1,5m", "one"])("refuses %j", (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  });
});
