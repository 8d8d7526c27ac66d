// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { isDirectoryContext } from "./build-contexts.ts";

it.each(["assets", ".", "../assets", "/srv/assets", "a:b", "git", "docker-image", "x.git"])(
  "takes %s for a directory",
  (value) => {
    expect(isDirectoryContext(value)).toBe(true);
  },
);

it.each([
  "https://example.test/a.tar",
  "HTTP://example.test",
  "git://example.test/a",
  "ssh://git@example.test/a",
  "git@example.test:a/b.git",
  "someone@example.test:a/b",
  "github.com/a/b",
  "docker-image://alpine",
  "oci-layout://here",
  "target:other",
  "-",
])("does not take %s for a directory", (value) => {
  expect(isDirectoryContext(value)).toBe(false);
});
