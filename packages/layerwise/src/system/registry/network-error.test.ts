// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { HttpRequest } from "./http-message.ts";
import { NoAnswerError, networkFailureOf, ProxyRefusal, SilenceError } from "./network-error.ts";

const request: HttpRequest = {
  method: "GET",
  url: new URL("https://registry.example:5000/v2/?token=hidden"),
  action: "fetch manifest registry.example:5000/app:latest",
};

describe("networkFailureOf", () => {
  it.each([
    { code: "ECONNREFUSED", kind: "refused", attempts: 3 },
    { code: "ENOTFOUND", kind: "name", attempts: 1 },
    { code: "EAI_AGAIN", kind: "name", attempts: undefined },
    { code: "ECONNRESET", kind: "broken", attempts: undefined },
    { code: "EPIPE", kind: "broken", attempts: undefined },
    { code: "ETIMEDOUT", kind: "timeout", attempts: undefined },
    { code: "CERT_HAS_EXPIRED", kind: "certificate", attempts: 1 },
    { code: "ERR_TLS_CERT_ALTNAME_INVALID", kind: "certificate", attempts: 1 },
    { code: "ERR_SSL_WRONG_VERSION_NUMBER", kind: "tls", attempts: 1 },
    { code: "EPROTO", kind: "tls", attempts: 1 },
  ])("takes $code for $kind", ({ code, kind, attempts }) => {
    const failure = networkFailureOf(Object.assign(new Error("words"), { code }));

    expect(failure).toMatchObject({ kind, attempts, why: expect.stringContaining(`(${code})`) });
  });

  it.each([
    { status: 502, attempts: undefined },
    { status: 403, attempts: 1 },
    { status: 407, attempts: 1 },
  ])("takes a tunnel refused with $status for the proxy's", ({ status, attempts }) => {
    const failure = networkFailureOf(new ProxyRefusal(status));

    expect(failure).toEqual({ kind: "proxy", attempts, why: `the proxy answered ${status}` });
  });

  it.each([
    { silence: "connect", why: "the connection took too long" },
    { silence: "answer", why: "no answer came in time" },
    { silence: "body", why: "the answer stopped in the middle" },
  ] as const)("takes silence during $silence for a timeout", ({ silence, why }) => {
    const failure = networkFailureOf(new SilenceError(silence));

    expect(failure).toEqual({ kind: "timeout", attempts: undefined, why });
  });

  it("keeps the words of an error without a code", () => {
    expect(networkFailureOf(new Error("odd"))).toMatchObject({ kind: "broken", why: "the connection broke (odd)" });
  });
});

describe("NoAnswerError", () => {
  it("says what was tried, where, and why it failed, without secrets of the URL", () => {
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });

    const error = new NoAnswerError(request, cause, { proxy: undefined });

    expect(error).toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      message: `could not ${request.action}: registry.example:5000: the connection was refused (ECONNREFUSED)`,
      hint: "check that registry.example:5000 runs and can be reached from this machine",
      details: { method: "GET", url: "https://registry.example:5000/v2/?token=***", reason: "refused" },
    });
  });

  it("names the proxy that was used", () => {
    const error = new NoAnswerError(request, new Error("odd"), { proxy: "proxy.example:3128" });

    expect(error.message).toContain(": registry.example:5000 through the proxy proxy.example:3128: ");
  });
});
