// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { proxyFor } from "./proxy.ts";

const environment = { HTTPS_PROXY: "http://proxy.example:3128", HTTP_PROXY: "plain.example:8080" };

describe("proxyFor", () => {
  it.each([
    ["https://registry.example/v2/", "http://proxy.example:3128/"],
    ["http://registry.example/v2/", "http://plain.example:8080/"],
    ["http://localhost:5000/v2/", undefined],
    ["https://127.8.9.1/v2/", undefined],
    ["https://[::1]:5000/v2/", undefined],
  ])("fetches %s through %s", (url, expected) => {
    expect(proxyFor(new URL(url), environment)?.href).toBe(expected);
  });

  it("does not use HTTP_PROXY for https", () => {
    const proxy = proxyFor(new URL("https://registry.example/"), { HTTP_PROXY: "http://proxy.example" });

    expect(proxy).toBeUndefined();
  });

  it("reads lower-case names when the upper-case ones are empty", () => {
    const proxy = proxyFor(new URL("https://registry.example/"), { HTTPS_PROXY: "", https_proxy: "https://p.example" });

    expect(proxy?.href).toBe("https://p.example/");
  });

  it.each([
    ["registry.example", "https://registry.example/", true],
    ["example", "https://registry.example/", true],
    ["Registry.Example", "https://registry.example/", true],
    [".example", "https://registry.example/", true],
    [".registry.example", "https://registry.example/", false],
    ["*.registry.example", "https://a.registry.example/", true],
    ["gistry.example", "https://registry.example/", false],
    ["registry.example:443", "https://registry.example/", true],
    ["registry.example:5000", "https://registry.example/", false],
    ["other.example, registry.example", "https://registry.example/", true],
    ["*", "https://registry.example/", true],
    ["10.0.0.0/8", "https://10.20.30.40:5000/", true],
    ["10.0.0.0/8", "https://11.0.0.1/", false],
    ["10.0.0.0/99", "https://10.0.0.1/", false],
    ["10.0.0.1", "https://10.0.0.1/", true],
    ["0.0.1", "https://10.0.0.1/", false],
    ["fd00::/8", "https://[fd00::1]/", true],
    ["[fd00::1]:443", "https://[fd00::1]/", true],
    ["fd00::1", "https://[fd00::1]/", true],
    ["fd00::1", "https://[fd00::2]/", false],
  ])("with NO_PROXY=%s, %s connects directly: %s", (list, url, direct) => {
    const proxy = proxyFor(new URL(url), { ...environment, NO_PROXY: list });

    expect(proxy === undefined).toBe(direct);
  });

  it("refuses a variable that is no URL, without quoting it", () => {
    const choose = () => proxyFor(new URL("https://registry.example/"), { HTTPS_PROXY: "http://me:hunter2@[" });

    expect(choose).toThrow("could not use the proxy in HTTPS_PROXY: it is no URL");
  });
});
