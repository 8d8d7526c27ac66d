// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatPlatform, normalizePlatform, parsePlatform, samePlatform } from "./platform.ts";

describe("parsePlatform and formatPlatform", () => {
  it.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["Linux/X86_64", "linux/amd64"],
    ["linux/x86-64", "linux/amd64"],
    ["linux/i386", "linux/386"],
    ["linux/i386/v1", "linux/386"],
    ["linux/arm64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/arm64/8", "linux/arm64"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm64/v9", "linux/arm64/v9"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/7", "linux/arm/v7"],
    ["linux/arm/v6", "linux/arm/v6"],
    ["linux/arm/5", "linux/arm/v5"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["macos/arm64", "darwin/arm64"],
    ["windows/amd64", "windows/amd64"],
    ["linux/riscv64", "linux/riscv64"],
    ["linux/constructor", "linux/constructor"],
  ])("reads %s as %s", (text, formatted) => {
    const platform = parsePlatform(text);

    expect(platform && formatPlatform(platform)).toBe(formatted);
  });

  it.each([
    "",
    "linux",
    "amd64",
    "linux/",
    "/amd64",
    "linux/amd64/v1/x",
    "linux/a b",
    "linux//v7",
    "linux/amd64,linux/arm64",
    "linux/ämd64",
  ])("does not read %o", (text) => {
    expect(parsePlatform(text)).toBeUndefined();
  });
});

describe("normalizePlatform", () => {
  it("changes nothing the second time", () => {
    const word = fc.constantFrom(
      "linux",
      "Linux",
      "macos",
      "arm",
      "armhf",
      "armel",
      "aarch64",
      "x86_64",
      "i386",
      "amd64",
      "v1",
      "v8",
      "8",
      "7",
      "",
    );
    fc.assert(
      fc.property(word, word, fc.option(word, { nil: undefined }), (os, architecture, variant) => {
        const once = normalizePlatform({ os, architecture, variant });

        expect(normalizePlatform(once)).toEqual(once);
      }),
    );
  });

  it("keeps what Windows needs", () => {
    const windows = { os: "windows", architecture: "amd64", "os.version": "10.0.1", "os.features": ["win32k"] };

    expect(normalizePlatform(windows)).toEqual({ ...windows, variant: undefined });
  });
});

describe("samePlatform", () => {
  it.each([
    ["linux/arm64", "linux/aarch64/v8", true],
    ["linux/arm", "linux/arm/v7", true],
    ["linux/arm/v7", "linux/arm/v6", false],
    ["linux/amd64", "linux/amd64/v2", false],
    ["linux/amd64", "windows/amd64", false],
  ])("%s and %s: %s", (one, other, same) => {
    expect(samePlatform(platformOf(one), platformOf(other))).toBe(same);
  });
});

function platformOf(text: string): { os: string; architecture: string; variant?: string | undefined } {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, variant };
}
