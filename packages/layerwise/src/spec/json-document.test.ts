// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { expect, it } from "vitest";
import { readDocument } from "./json-document.ts";

const schema = v.object({ names: v.array(v.string()) });
const read = (text: string) => readDocument(Buffer.from(text), schema, "the list of registry.example/app:1");

it("reads what the schema describes", () => {
  expect(read('{"names":["a","b"]}')).toEqual({ names: ["a", "b"] });
});

it.each([
  { what: "no JSON", text: "<html></html>", why: "it is no JSON" },
  { what: "nothing", text: "", why: "it is no JSON" },
  { what: "another document", text: '{"names":[1]}', why: "names.0: invalid type" },
])("says what is wrong with $what", ({ text, why }) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({
      code: "REGISTRY_PROTOCOL",
      message: expect.stringContaining(`could not read the list of registry.example/app:1: ${why}`),
    }),
  );
});
