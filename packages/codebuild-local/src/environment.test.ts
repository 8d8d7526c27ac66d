// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { partOf } from "./aws-values.ts";
import { parseBuildspec } from "./buildspec.ts";
import { parseSecretPlace, resolveVariables } from "./environment.ts";

const none = { jsonKey: undefined, versionStage: undefined, versionId: undefined };

describe("parseSecretPlace", () => {
  const arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:npm-AbCdEf";

  it.each([
    ["npm", { ...none, id: "npm" }],
    ["npm:token", { ...none, id: "npm", jsonKey: "token" }],
    ["npm::AWSPREVIOUS", { ...none, id: "npm", versionStage: "AWSPREVIOUS" }],
    [arn, { ...none, id: arn }],
    [`${arn}:token::v1`, { ...none, id: arn, jsonKey: "token", versionId: "v1" }],
  ])("reads %s", (text, place) => {
    expect(parseSecretPlace(text)).toEqual(place);
  });
});

describe("resolveVariables", () => {
  it("takes the start's before the project's before the buildspec's, and knows which are secrets", async () => {
    const buildspec = parseBuildspec(`
version: 0.2
env: { variables: { A: spec, B: spec, C: spec }, parameter-store: { P: /p }, secrets-manager: { S: "id:key" } }
phases: { build: {} }`);
    const project = ["B", "C"].map((name) => ({ name, value: "project", type: "PLAINTEXT" as const }));
    const start = [{ name: "C", value: "start", type: "PLAINTEXT" as const }];

    const resolved = await resolveVariables(
      { buildspec, project, start },
      { parameter: async (name) => `value of ${name}`, secret: async ({ id, jsonKey }) => `secret ${id} ${jsonKey}` },
    );

    expect(Object.fromEntries(resolved.values)).toEqual({
      A: "spec",
      B: "project",
      C: "start",
      P: "value of /p",
      S: "secret id key",
    });
    expect(resolved.secrets).toEqual(["value of /p", "secret id key"]);
    expect([...resolved.secretNames]).toEqual(["P", "S"]);
  });
});

describe("partOf", () => {
  const place = { ...none, id: "npm" };

  it("gives all of a secret, or one key of its JSON", () => {
    expect(partOf("text", place)).toBe("text");
    expect(partOf('{"token":"t","number":1}', { ...place, jsonKey: "token" })).toBe("t");
    expect(partOf('{"token":"t","number":1}', { ...place, jsonKey: "number" })).toBe("1");
  });

  it("does not quote a secret in an error", () => {
    expect(() => partOf("hunter2", { ...place, jsonKey: "key" })).toThrow(
      "could not read secret npm: it is no JSON object",
    );
    expect(() => partOf('{"a":"hunter2"}', { ...place, jsonKey: "key" })).toThrow(
      /^could not read secret npm: it has no key key$/,
    );
  });
});
