// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { changeMode, type ModeSubject, parseModeInLetters } from "./mode-in-letters.ts";

function applied(text: string, subject: Partial<ModeSubject> = {}): string | undefined {
  const changes = parseModeInLetters(text);
  if (changes === undefined) return undefined;
  return changeMode(changes, { mode: 0o644, isDirectory: false, umask: 0, addsOnlyX: false, ...subject }).toString(8);
}

describe("changeMode", () => {
  it.each([
    ["u+x", "744"],
    ["a+x", "755"],
    ["+x", "755"],
    ["go-r", "600"],
    ["u-w", "444"],
    ["u=rwx,go=rx", "755"],
    ["u+r-w", "444"],
    ["u=", "44"],
    ["a=", "0"],
    ["=", "0"],
    ["g=u", "664"],
    ["go=u-w", "644"],
    ["o+u", "646"],
    ["u-g", "244"],
    ["uo=g", "444"],
    ["u+", "644"],
    ["u=rw,+X", "644"],
    ["u+x,+X", "744"],
  ])("makes of 0644 with %s 0%s", (text, expected) => {
    expect(applied(text)).toBe(expected);
  });

  it("adds execution with X to directories, and to files that somebody may execute", () => {
    expect(applied("+X")).toBe("644");
    expect(applied("+X", { mode: 0o744 })).toBe("755");
    expect(applied("go+X", { mode: 0o600, isDirectory: true })).toBe("611");
  });

  it("heeds an X behind other operators where Linux does, and not where BSD does", () => {
    expect(applied("u=rwX", { mode: 0o744 })).toBe("744");
    expect(applied("u=rwX", { mode: 0o744, addsOnlyX: true })).toBe("644");
    expect(applied("u=rwX", { isDirectory: true })).toBe("744");
    expect(applied("a-X", { mode: 0o744 })).toBe("644");
  });

  it("takes set-user and set-group bits away with =, and leaves the sticky bit", () => {
    expect(applied("u=rw", { mode: 0o7644 })).toBe("3644");
    expect(applied("g=r", { mode: 0o7644 })).toBe("5644");
    expect(applied("o=r", { mode: 0o7644 })).toBe("7644");
    expect(applied("a=r", { mode: 0o7644 })).toBe("1444");
    expect(applied("g=u", { mode: 0o7644 })).toBe("7664");
  });

  it("heeds the umask where no class is named", () => {
    expect(applied("+w", { umask: 0o022 })).toBe("644");
    expect(applied("=rw", { umask: 0o022 })).toBe("644");
    expect(applied("a+w", { umask: 0o022 })).toBe("666");
  });
});

describe("parseModeInLetters", () => {
  it.each(["", "u", "rwx", "u+r,", ",u+r", "q+r", "u+q", "u+ru", "u+s", "+t", "755", "u+7", "755,u+x", "u=rw go=r"])(
    "knows nothing of %j",
    (text) => {
      expect(parseModeInLetters(text)).toBeUndefined();
    },
  );
});
