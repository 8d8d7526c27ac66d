// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { parseChallenges } from "./challenge.ts";

const bearer = { scheme: "bearer", parameters: { realm: "https://auth.example/token", service: "registry.example" } };

it.each([
  { what: "nothing", field: "", expected: [] },
  { what: "a scheme alone", field: "Basic", expected: [{ scheme: "basic", parameters: {} }] },
  {
    what: "Basic as registries send it",
    field: 'Basic realm="Registry"',
    expected: [{ scheme: "basic", parameters: { realm: "Registry" } }],
  },
  {
    what: "Bearer as registries send it",
    field: 'Bearer realm="https://auth.example/token",service="registry.example"',
    expected: [bearer],
  },
  {
    what: "a scope with commas in quotes",
    field: 'Bearer realm="r",scope="repository:a:pull,push",error="invalid_token"',
    expected: [
      { scheme: "bearer", parameters: { realm: "r", scope: "repository:a:pull,push", error: "invalid_token" } },
    ],
  },
  {
    what: "blanks, other cases and values without quotes",
    field: 'BEARER  Realm = "https://auth.example/token" , SERVICE=registry.example',
    expected: [bearer],
  },
  {
    what: "escaped quotes",
    field: 'Basic realm="the \\"inner\\" registry \\\\"',
    expected: [{ scheme: "basic", parameters: { realm: 'the "inner" registry \\' } }],
  },
  {
    what: "two challenges in one field",
    field: 'Basic realm="r", Bearer realm="https://auth.example/token",service="registry.example"',
    expected: [{ scheme: "basic", parameters: { realm: "r" } }, bearer],
  },
  {
    what: "a challenge without parameters before another",
    field: 'Negotiate, Basic realm="r"',
    expected: [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "r" } },
    ],
  },
  {
    what: "a word of credentials before another challenge",
    field: 'Negotiate YIIB+/0==, Basic realm="r"',
    expected: [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "r" } },
    ],
  },
  {
    what: "an unclosed quote after a good challenge",
    field: 'Basic realm="r", Bearer realm="unclosed',
    expected: [
      { scheme: "basic", parameters: { realm: "r" } },
      { scheme: "bearer", parameters: {} },
    ],
  },
  { what: "parameters without a scheme", field: 'realm="r"', expected: [] },
  {
    what: "a repeated parameter, of which the first counts",
    field: 'Basic realm="first", realm="second"',
    expected: [{ scheme: "basic", parameters: { realm: "first" } }],
  },
])("reads $what", ({ field, expected }) => {
  expect(parseChallenges(field)).toEqual(expected);
});

it("ends on any text", () => {
  for (const field of ["===", ",,,", '"', "a b c", "Bearer ,=", "\u0000", "Basic realm=\\"]) {
    expect(parseChallenges(field).every(({ scheme }) => scheme !== "")).toBe(true);
  }
});
