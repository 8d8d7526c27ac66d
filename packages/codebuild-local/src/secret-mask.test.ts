// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { createSecretMask } from "./secret-mask.ts";

it("hides secrets, also those that come in pieces, and each line of a long one", () => {
  const mask = createSecretMask(["hunter2", "hunter", "line one\nline two", "ab"]);

  const shown = [
    mask.take(Buffer.from("a hun")),
    mask.take(Buffer.from("ter2 b\nline tw")),
    mask.take(Buffer.from("o ab\n")),
    mask.flush(),
  ];

  expect(shown).toEqual(["", "a *** b\n", "*** ab\n", ""]);
});

it("keeps letters together that come in pieces", () => {
  const mask = createSecretMask([]);
  const bytes = Buffer.from("grün\n");

  expect(mask.take(bytes.subarray(0, 3)) + mask.take(bytes.subarray(3))).toBe("grün\n");
});
