// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { digestOf, hexOf, isDigest, startDigest } from "./digest.ts";

const ofNothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

describe("digestOf", () => {
  it("is SHA-256", () => {
    expect(digestOf("")).toBe(ofNothing);
    expect(digestOf("abc")).toBe("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it("takes a text for its UTF-8", () => {
    expect(digestOf("größe")).toBe(digestOf(Buffer.from("größe")));
  });

  it("sees only the bytes of a view", () => {
    expect(digestOf(Buffer.from("xabcx").subarray(1, 4))).toBe(digestOf("abc"));
  });
});

describe("startDigest", () => {
  it("adds up to the digest of the whole", () => {
    const running = startDigest();
    for (const part of ["a", "", "bc"]) running.update(Buffer.from(part));

    expect(running.digest()).toBe(digestOf("abc"));
  });

  it("is that of nothing if nothing comes", () => {
    expect(startDigest().digest()).toBe(ofNothing);
  });
});

describe("isDigest", () => {
  it.each([
    [ofNothing, true],
    [ofNothing.toUpperCase(), false],
    [ofNothing.slice(0, -1), false],
    [`${ofNothing}\n`, false],
    [` ${ofNothing}`, false],
    [ofNothing.replace("sha256", "sha512"), false],
    [ofNothing.slice("sha256:".length), false],
    ["", false],
  ])("%o: %s", (text, is) => {
    expect(isDigest(text)).toBe(is);
  });
});

describe("hexOf", () => {
  it("is what follows the colon", () => {
    expect(hexOf(ofNothing)).toMatch(/^e3b0[0-9a-f]{60}$/);
  });
});
