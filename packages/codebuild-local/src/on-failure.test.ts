// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { parseOnFailure } from "./on-failure.ts";

it.each([
  ["ABORT", { kind: "abort" }],
  ["CONTINUE", { kind: "continue" }],
  ["RETRY", { kind: "retry", count: 3, pattern: /.*/ }],
  ["RETRY-0", { kind: "retry", count: 0, pattern: /.*/ }],
  ["RETRY-100", { kind: "retry", count: 100, pattern: /.*/ }],
  ["RETRY-Error: .*", { kind: "retry", count: 3, pattern: /Error: .*/ }],
  ["RETRY-2-Error: .*", { kind: "retry", count: 2, pattern: /Error: .*/ }],
  ["RETRY-101", undefined],
  ["RETRY-", undefined],
  ["RETRY-2-(", undefined],
  ["abort", undefined],
])("reads %s", (text, meaning) => {
  expect(parseOnFailure(text)).toEqual(meaning);
});
