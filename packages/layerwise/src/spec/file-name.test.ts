// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareFileNames, decodeFileName, encodeFileName, isUtf8Name } from "./file-name.ts";

/** Bytes as they occur in names: text, halves of characters, and anything. */
const nameBytes = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme" }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom("\ud7ff", "\ue000", "\ufffd", "\uffff", "\u{1f480}", "\ufeff").map((text) => Buffer.from(text)),
      fc.constantFrom([0xed, 0xb2, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]).map(Buffer.from),
    ),
    { maxLength: 5 },
  )
  .map((parts) => Buffer.concat(parts));

describe("decodeFileName and encodeFileName", () => {
  it("give any bytes back", () => {
    fc.assert(fc.property(nameBytes, (bytes) => encodeFileName(decodeFileName(bytes)).equals(bytes)));
  });

  it("give different names to different bytes", () => {
    fc.assert(
      fc.property(nameBytes, nameBytes, (one, other) => {
        expect(decodeFileName(one) === decodeFileName(other)).toBe(one.equals(other));
      }),
    );
  });

  it("keep parts apart at slashes, also among bytes that are no text", () => {
    fc.assert(
      fc.property(nameBytes, nameBytes, (one, other) => {
        const joined = Buffer.concat([one, Buffer.from("/"), other]);

        expect(decodeFileName(joined)).toBe(`${decodeFileName(one)}/${decodeFileName(other)}`);
      }),
    );
  });

  it.each([
    { bytes: [0x61], name: "a" },
    { bytes: [0xc3, 0xa9], name: "é" },
    { bytes: [0xe9], name: "\udce9" },
    { bytes: [0xef, 0xbb, 0xbf, 0x61], name: "\ufeffa" },
    { bytes: [0xf0, 0x9f, 0x92, 0x80], name: "\u{1f480}" },
    { bytes: [0xf0, 0x9f, 0x92], name: "\udcf0\udc9f\udc92" },
    { bytes: [0xed, 0xb2, 0x80], name: "\udced\udcb2\udc80" },
    { bytes: [], name: "" },
  ])("write $bytes as $name", ({ bytes, name }) => {
    expect(decodeFileName(Uint8Array.from(bytes))).toBe(name);
    expect([...encodeFileName(name)]).toEqual(bytes);
  });
});

describe("isUtf8Name", () => {
  it.each(["plain", "é", "日本", "\u{1f480}", "\u{1f4bb}.txt", "\ufffd", ""])("holds for %s", (name) => {
    expect(isUtf8Name(name)).toBe(true);
  });

  it("tells bytes that are no text", () => {
    fc.assert(
      fc.property(nameBytes, (bytes) => {
        expect(isUtf8Name(decodeFileName(bytes))).toBe(isUtf8(bytes));
      }),
    );
  });
});

describe("compareFileNames", () => {
  it("orders names as their bytes", () => {
    fc.assert(
      fc.property(nameBytes, nameBytes, (one, other) => {
        const order = compareFileNames(decodeFileName(one), decodeFileName(other));

        expect(Math.sign(order)).toBe(Buffer.compare(one, other));
      }),
      { numRuns: 500 },
    );
  });

  it("orders characters beyond the first plane behind all others", () => {
    const names = ["\u{10000}", "\uffff", "\ue000", "z", "A"];

    expect(names.sort(compareFileNames)).toEqual(["A", "z", "\ue000", "\uffff", "\u{10000}"]);
  });
});

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString("utf8"), "utf8").equals(bytes);
}
