// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { certainDirectoryMode, certainMode, isMode, isModeInLetters } from "./certain-mode.ts";

const file = (mode: number) => ({ mode, isDirectory: false });
const directory = (mode: number) => ({ mode, isDirectory: true });

describe("certainMode", () => {
  it.each([
    ["644", file(0o755), 0o644],
    ["0755", file(0o600), 0o755],
    ["00644", directory(0o750), 0o644],
    ["4755", file(0o4644), 0o4755],
    ["1777", directory(0o1700), 0o1777],
    ["u=rw,go=r", file(0o644), 0o644],
    ["+x", file(0o755), 0o755],
    ["go-w", directory(0o755), 0o755],
    ["+w", file(0o666), 0o666],
    ["u=rwX,go=rX", file(0o644), 0o644],
    ["a+rX", directory(0o755), 0o755],
  ])("is certain of %s for %o", (chmod, target, expected) => {
    expect(certainMode(chmod, target)).toBe(expected);
  });

  it.each([
    ["755", file(0o4755)],
    ["4755", file(0o755)],
    ["1777", directory(0o755)],
    ["u=rw,go=r", file(0o600)],
    ["+x", file(0o644)],
    ["+w", file(0o644)],
    ["a+X", directory(0o700)],
    ["u=rwX,go=rX", directory(0o755)],
    ["u=rwX,go=rX", file(0o755)],
    ["u+s", file(0o4755)],
    ["rubbish", file(0o644)],
  ])("is not certain of %s for %o", (chmod, target) => {
    expect(certainMode(chmod, target)).toBeUndefined();
  });
});

describe("certainDirectoryMode", () => {
  it.each(["755", "0755", "a+x", "go-w", "+X", "u=rwX,go=rX"])("is certain of %s", (chmod) => {
    expect(certainDirectoryMode(chmod, 0o755)).toBe(0o755);
  });

  it.each(["777", "700", "2755", "1755", "go=", "+w", "g=u"])("is not certain of %s", (chmod) => {
    expect(certainDirectoryMode(chmod, 0o755)).toBeUndefined();
  });
});

describe("isMode", () => {
  it("knows digits and letters", () => {
    expect(["0", "07777", "00755", "u+x"].map(isMode)).toEqual([true, true, true, true]);
    expect(["", "8", "17777", "u", "0x1"].map(isMode)).toEqual([false, false, false, false, false]);
    expect(["755", "u+x", "x"].map(isModeInLetters)).toEqual([false, true, false]);
  });
});
