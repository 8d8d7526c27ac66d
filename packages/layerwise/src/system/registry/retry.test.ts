// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { HttpAnswer, HttpRequest } from "./http-message.ts";
import { NoAnswerError } from "./network-error.ts";
import { defaultRetryPolicy, delayBefore, parseRetryAfter, type RetryRules, withRetries } from "./retry.ts";

const now = Date.parse("2026-11-24T12:00:00Z");

describe("parseRetryAfter", () => {
  it.each([
    ["7", 7_000],
    [" 0 ", 0],
    ["Tue, 24 Nov 2026 12:00:30 GMT", 30_000],
    ["Tuesday, 24-Nov-26 12:00:30 GMT", 30_000],
    ["Tue, 24 Nov 2026 11:00:00 GMT", 0],
    ["soon", undefined],
    ["-5", undefined],
    ["1.5", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("reads %s as %s milliseconds", (field, expected) => {
    expect(parseRetryAfter(field, now)).toBe(expected);
  });
});

describe("delayBefore", () => {
  it.each([
    { attempt: 2, random: 0, expected: 250 },
    { attempt: 2, random: 1, expected: 500 },
    { attempt: 4, random: 0.5, expected: 1_500 },
    { attempt: 20, random: 1, expected: 20_000 },
  ])("waits $expected ms before attempt $attempt", ({ attempt, random, expected }) => {
    expect(delayBefore(attempt, defaultRetryPolicy, random)).toBe(expected);
  });
});

describe("withRetries", () => {
  it("returns the last answer when every attempt is refused", async () => {
    const { rules, waits } = recordedRules();
    let attempts = 0;

    const answer = await withRetries(async () => answerWith(++attempts < 6 ? 503 : 429), rules);

    expect(answer.status).toBe(429);
    expect(waits).toHaveLength(5);
  });

  it.each([401, 403, 404, 400, 201])("does not repeat a request that got %s", async (status) => {
    const { rules, waits } = recordedRules();

    const answer = await withRetries(async () => answerWith(status), rules);

    expect(answer.status).toBe(status);
    expect(waits).toEqual([]);
  });

  it("waits as long as the registry asks, up to the cap", async () => {
    const { rules, waits } = recordedRules();
    const fields = ["3", "86400", "Tue, 24 Nov 2020 12:00:00 GMT"];

    await withRetries(async (number) => answerWith(number > 3 ? 200 : 429, fields[number - 1]), rules);

    expect(waits).toEqual([3_000, 60_000, 0]);
  });

  it.each([
    { code: "ECONNRESET", attempts: 6 },
    { code: "ETIMEDOUT", attempts: 6 },
    { code: "ECONNREFUSED", attempts: 3 },
    { code: "ENOTFOUND", attempts: 1 },
    { code: "SELF_SIGNED_CERT_IN_CHAIN", attempts: 1 },
  ])("tries $attempts times after $code", async ({ code, attempts }) => {
    const { rules } = recordedRules();
    let made = 0;

    const failing = withRetries(async () => {
      made += 1;
      throw new NoAnswerError(request, Object.assign(new Error("torn"), { code }), { proxy: undefined });
    }, rules);

    await expect(failing).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    expect(made).toBe(attempts);
  });

  it("does not repeat after an error that is not the network's", async () => {
    const { rules, waits } = recordedRules();
    const bug = new TypeError("ours");

    const failing = withRetries(() => Promise.reject(bug), rules);

    await expect(failing).rejects.toBe(bug);
    expect(waits).toEqual([]);
  });
});

const request: HttpRequest = { method: "GET", url: new URL("https://registry.example/v2/"), action: "read" };

function answerWith(status: number, retryAfter?: string): HttpAnswer {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { "retry-after": retryAfter };
  return { method: "GET", status, headers, bytes: new Uint8Array(), url: request.url };
}

function recordedRules(): { rules: RetryRules; waits: number[] } {
  const waits: number[] = [];
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  return { waits, rules: { policy: defaultRetryPolicy, wait, signal: undefined } };
}
