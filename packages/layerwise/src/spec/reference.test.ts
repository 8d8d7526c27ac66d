// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatReference, formatRepository, parseReference, parseRepositoryName, sameRepository } from "./reference.ts";

const digest = `sha256:${"a1".repeat(32)}` as const;

describe("parseReference", () => {
  it.each([
    ["alpine", "docker.io/library/alpine"],
    ["alpine:3.18", "docker.io/library/alpine:3.18"],
    [`alpine@${digest}`, `docker.io/library/alpine@${digest}`],
    [`alpine:3.18@${digest}`, `docker.io/library/alpine:3.18@${digest}`],
    ["team/app", "docker.io/team/app"],
    ["docker.io/alpine", "docker.io/library/alpine"],
    ["index.docker.io/alpine", "docker.io/library/alpine"],
    ["docker.io/library/alpine", "docker.io/library/alpine"],
    ["docker.io/team/app/part", "docker.io/team/app/part"],
    ["registry.example/app", "registry.example/app"],
    ["registry.example:5000/app:1", "registry.example:5000/app:1"],
    ["localhost/app", "localhost/app"],
    ["localhost:5000/app", "localhost:5000/app"],
    ["localhost:5000", "docker.io/library/localhost:5000"],
    ["127.0.0.1:5000/a/b/c:t", "127.0.0.1:5000/a/b/c:t"],
    ["[::1]:5000/app", "[::1]:5000/app"],
    ["[fe80::1]/app", "[fe80::1]/app"],
    ["Registry/app", "Registry/app"],
    ["EXAMPLE.com/app", "EXAMPLE.com/app"],
    ["a/b--c__d.e_f/g", "docker.io/a/b--c__d.e_f/g"],
    ["app:_A.b-C", "docker.io/library/app:_A.b-C"],
    [`app:${"t".repeat(128)}`, `docker.io/library/app:${"t".repeat(128)}`],
  ])("reads %s", (text, full) => {
    expect(formatReference(parseReference(text))).toBe(full);
  });

  it.each([
    ["", "is no repository name"],
    ["UPPER", "a repository's name is lower case"],
    ["registry.example/Team/app", "a repository's name is lower case"],
    ["registry.example/", "is no repository name"],
    ["registry.example//app", "is no repository name"],
    ["team/_app", "is no repository name"],
    ["team/app-", "is no repository name"],
    ["team/a___b", "is no repository name"],
    ["team/a..b", "is no repository name"],
    ["-registry.example/app", "is no registry host"],
    ["registry.example:port/app", "is no registry host"],
    ["registry_x.example/app", "is no registry host"],
    ["https://registry.example/app", "is no registry host"],
    ["app:", "is no tag"],
    ["app:-t", "is no tag"],
    [`app:${"t".repeat(129)}`, "is no tag"],
    ["app:a b", "is no tag"],
    ["app@latest", "is no sha256 digest"],
    [`app@${digest}0`, "is no sha256 digest"],
    [`app@${digest.toUpperCase()}`, "is no sha256 digest"],
    [`app@${digest}@${digest}`, "is no sha256 digest"],
    ["app\n", "is no repository name"],
    [`team/${"a".repeat(251)}`, "is longer than 255 characters"],
  ])("refuses %o", (text, why) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({
        code: "REFERENCE_INVALID",
        message: expect.stringMatching(new RegExp(`^could not read "[^]*" as an image reference: [^]*${why}`)),
        hint: expect.stringMatching(/^write /),
      }),
    );
  });

  it("reads what it writes", () => {
    fc.assert(
      fc.property(references, (text) => {
        const reference = parseReference(text);

        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });

  it("does not take long for long names", () => {
    const [one, other] = [`${"a".repeat(50_000)}!`, `${"a-".repeat(25_000)}!`];

    for (const text of [one, other, `x/${one}`, `x.y/${other}`, `${one}.com/a`]) {
      expect(() => parseReference(text)).toThrow();
    }
  });
});

describe("parseRepositoryName", () => {
  it("reads a name without tag", () => {
    expect(parseRepositoryName("registry.example:5000/team/app")).toEqual({
      host: "registry.example:5000",
      path: "team/app",
    });
  });

  it.each(["registry.example/app:1", `registry.example/app@${digest}`])("refuses %s", (text) => {
    expect(() => parseRepositoryName(text)).toThrow(expect.objectContaining({ code: "REFERENCE_INVALID" }));
  });
});

describe("sameRepository", () => {
  it("compares host and path, not tags", () => {
    const one = parseReference("registry.example/app:1");

    expect(sameRepository(one, parseReference("registry.example/app:2"))).toBe(true);
    expect(sameRepository(one, parseReference("registry.example/other"))).toBe(false);
    expect(sameRepository(one, parseReference("other.example/app"))).toBe(false);
    expect(formatRepository(one)).toBe("registry.example/app");
  });
});

const name = fc.stringMatching(/^[a-z0-9]{1,4}(?:[._-][a-z0-9]{1,4})?$/);

const references = fc
  .record({
    host: fc.option(fc.constantFrom("docker.io/", "localhost/", "r.example/", "r.example:99/", "[::1]:1/"), {
      nil: "",
    }),
    path: fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
    tag: fc.option(fc.stringMatching(/^:[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}$/), { nil: "" }),
    digest: fc.constantFrom("", `@${digest}`),
  })
  .map(({ host, path, tag, digest: at }) => `${host}${path}${tag}${at}`);
