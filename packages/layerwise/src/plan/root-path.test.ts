// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { rootPath } from "./root-path.ts";

const links: Readonly<Record<string, string>> = {
  "/bin": "usr/bin",
  "/run": "/var/run",
  "/var/lock": "../run/lock",
  "/up": "../../srv",
  "/chain": "bin",
  "/dots": "usr/bin/../../chain/..",
  "/absolute": "/bin/../x",
};

describe("rootPath", () => {
  it.each([
    ["/", ""],
    ["/a//b/", "a/b"],
    ["/bin/tool", "usr/bin/tool"],
    ["/run/x", "var/run/x"],
    ["/var/lock/x", "var/run/lock/x"],
    ["/up/x", "srv/x"],
    ["/chain", "usr/bin"],
    ["/bin/../x", "x"],
    // As text, and not as Linux has it, where it is usr.
    ["/dots", ""],
    ["/absolute", "usr/x"],
    ["dots", ""],
  ])("resolves %s to %s", (path, resolved) => {
    expect(rootPath(path, (place) => links[place])).toBe(resolved);
  });
});
