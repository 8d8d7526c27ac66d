// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { startSchemes } from "./schemes.ts";

const schemes = () => startSchemes(["insecure.example:5000"]);

describe("startSchemes", () => {
  it.each([
    { host: "registry.example", first: "https://registry.example", plain: false },
    { host: "localhost:5000", first: "http://localhost:5000", plain: true },
    { host: "127.1.2.3", first: "http://127.1.2.3", plain: true },
    { host: "[::1]:5000", first: "http://[::1]:5000", plain: true },
    { host: "localhost.example", first: "https://localhost.example", plain: false },
    { host: "127.0.0.1.example:5000", first: "https://127.0.0.1.example:5000", plain: false },
    { host: "insecure.example:5000", first: "https://insecure.example:5000", plain: true },
    { host: "insecure.example", first: "https://insecure.example", plain: false },
  ])("begins with $first, plain HTTP allowed: $plain", ({ host, first, plain }) => {
    const subject = schemes();

    expect(subject.originOf(host)).toBe(first);
    expect(subject.mayBePlain(host)).toBe(plain);
  });

  it("knows no alternative to TLS for other hosts", () => {
    expect(schemes().alternativeOf(new URL("https://registry.example/v2/"))).toBeUndefined();
  });

  it("keeps the scheme in which a host has answered", () => {
    const subject = schemes();
    const alternative = subject.alternativeOf(new URL("https://insecure.example:5000/v2/"));

    subject.settle(alternative ?? new URL("https://none.example"));

    expect(subject.originOf("insecure.example:5000")).toBe("http://insecure.example:5000");
    expect(subject.settledOf(new URL("https://insecure.example:5000/v2/"))).toEqual(alternative);
    expect(subject.alternativeOf(new URL("http://insecure.example:5000/v2/"))).toBeUndefined();
  });
});
