// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Credentials } from "../docker-config.ts";
import type { HttpAnswer } from "./http-message.ts";
import { type AnswerContext, answerError } from "./protocol-error.ts";

const repository = { host: "registry.example", path: "team/app" };
const action = "push manifest registry.example/team/app:latest";
const password: Credentials = {
  kind: "password",
  username: "me",
  password: "hunter2",
  source: "the entry of config.json",
};

describe("answerError", () => {
  it.each([
    { status: 401, code: "", expected: "REGISTRY_UNAUTHORIZED" },
    { status: 401, code: "DENIED", expected: "REGISTRY_UNAUTHORIZED" },
    { status: 403, code: "", expected: "REGISTRY_DENIED" },
    { status: 400, code: "DENIED", expected: "REGISTRY_DENIED" },
    { status: 400, code: "UNAUTHORIZED", expected: "REGISTRY_UNAUTHORIZED" },
    { status: 404, code: "", expected: "REGISTRY_NOT_FOUND" },
    { status: 400, code: "NAME_UNKNOWN", expected: "REGISTRY_NOT_FOUND" },
    { status: 429, code: "", expected: "REGISTRY_BUSY" },
    { status: 403, code: "TOOMANYREQUESTS", expected: "REGISTRY_BUSY" },
    { status: 408, code: "", expected: "REGISTRY_BUSY" },
    { status: 500, code: "UNKNOWN", expected: "REGISTRY_BUSY" },
    { status: 507, code: "", expected: "REGISTRY_BUSY" },
    { status: 501, code: "UNSUPPORTED", expected: "REGISTRY_PROTOCOL" },
    { status: 400, code: "DIGEST_INVALID", expected: "DIGEST_MISMATCH" },
    { status: 400, code: "SIZE_INVALID", expected: "DIGEST_MISMATCH" },
    { status: 404, code: "BLOB_UPLOAD_UNKNOWN", expected: "REGISTRY_PROTOCOL" },
    { status: 400, code: "TAG_INVALID", expected: "REGISTRY_DENIED" },
    { status: 409, code: "", expected: "REGISTRY_DENIED" },
    { status: 400, code: "MANIFEST_INVALID", expected: "REGISTRY_PROTOCOL" },
    { status: 301, code: "", expected: "REGISTRY_PROTOCOL" },
  ])("takes $status $code for $expected", ({ status, code, expected }) => {
    const error = answerError(answerWith(status, code === "" ? "" : errorBody(code)), context({}));

    expect(error.code).toBe(expected);
    expect(error.details).toMatchObject({ status, registryCodes: code === "" ? [] : [code] });
  });

  it.each([
    { status: 400, code: "MANIFEST_BLOB_UNKNOWN" },
    { status: 404, code: "BLOB_UNKNOWN" },
  ])("marks a manifest that misses a blob: $status $code", ({ status, code }) => {
    const error = answerError(answerWith(status, errorBody(code)), context({ writes: true }));

    expect(error).toMatchObject({ code: "REGISTRY_PROTOCOL", details: { missingBlob: true } });
  });

  it("does not take a missing blob of a download for that", () => {
    const error = answerError(answerWith(404, errorBody("BLOB_UNKNOWN")), context({ writes: false }));

    expect(error.code).toBe("REGISTRY_NOT_FOUND");
    expect(error.details).not.toHaveProperty("missingBlob");
  });

  it.each<{ status: number; writes: boolean; credentials: Credentials | undefined; hint: string }>([
    {
      status: 401,
      writes: false,
      credentials: { kind: "anonymous", source: "config.json" },
      hint: 'log in with "docker login registry.example"; no credentials were found in config.json',
    },
    {
      status: 401,
      writes: false,
      credentials: password,
      hint: "check the credentials for registry.example; those of the entry of config.json were sent",
    },
    {
      status: 403,
      writes: true,
      credentials: password,
      hint: "give the user of the entry of config.json the right to push to team/app",
    },
    { status: 403, writes: false, credentials: undefined, hint: "give this user the right to pull from team/app" },
    {
      status: 404,
      writes: true,
      credentials: password,
      hint: "create the repository team/app in registry.example first",
    },
    {
      status: 404,
      writes: false,
      credentials: password,
      hint: "check the name team/app, and that it is in registry.example",
    },
  ])("says what to do after $status, writes: $writes", ({ status, writes, credentials, hint }) => {
    const error = answerError(answerWith(status, ""), context({ writes, credentials }));

    expect(error.hint).toBe(hint);
  });

  it.each([
    {
      credentials: password,
      expected: "REGISTRY_DENIED",
      hint: /^give the user of .* the right to push to team\/app$/,
    },
    {
      credentials: { kind: "anonymous", source: "config.json" } as const,
      expected: "REGISTRY_UNAUTHORIZED",
      hint: /^log in/,
    },
  ])("takes a token that does not allow enough for $expected", ({ credentials, expected, hint }) => {
    const headers = { "www-authenticate": 'Bearer realm="https://auth.example",error="insufficient_scope"' };

    const error = answerError({ ...answerWith(401, ""), headers }, context({ credentials }));

    expect(error.code).toBe(expected);
    expect(error.hint).toMatch(hint);
  });

  it.each([
    { status: 502, hint: "run it again later" },
    { status: 413, hint: "raise the limit for request bodies of the proxy in front of registry.example" },
    { status: 403, hint: "check that registry.example is a registry and that no proxy answers in its place" },
  ])("has a hint for a web page with $status", ({ status, hint }) => {
    const error = answerError(answerWith(status, "<html><h1>Sorry</h1></html>"), context({}));

    expect(error.hint).toBe(hint);
  });

  it("masks secrets, also where a long message is cut", () => {
    const body = errorBody("DENIED hunter2", `${"x".repeat(375)} hunter2 hunter2 hunter2`);

    const error = answerError(answerWith(403, body), context({ secrets: ["hunter2"] }));

    expect(JSON.stringify([error.message, error.hint, error.details])).not.toMatch(/hunt/);
    expect(error.message.length).toBeLessThan(500);
  });

  it("names what was tried, and shows no query", () => {
    const error = answerError(
      { ...answerWith(418, ""), url: new URL("https://u:p@registry.example/x?_state=s") },
      context({}),
    );

    expect(error.message).toBe(`could not ${action}: 418`);
    expect(error.details["url"]).toBe("https://registry.example/x?_state=***");
  });
});

function answerWith(status: number, body: string): HttpAnswer {
  const url = new URL("https://registry.example/v2/team/app/manifests/latest");
  return { method: "PUT", status, headers: {}, bytes: Buffer.from(body), url };
}

function errorBody(code: string, message = "no"): string {
  return JSON.stringify({ errors: [{ code, message }] });
}

function context(parts: Partial<AnswerContext>): AnswerContext {
  return { action, repository, writes: true, credentials: undefined, secrets: [], ...parts };
}
