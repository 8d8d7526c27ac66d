// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { readFlags, splitFlags } from "./flags.ts";

describe("splitFlags", () => {
  it.each([
    ["a --b", [], "a --b"],
    ["--a=1   --b c --d", ["--a=1", "--b"], "c --d"],
    ["--a", ["--a"], ""],
    ["-- --a b", [], " --a b"],
    ["--a -- b", ["--a"], " b"],
    ["--a=\"b c\"d '--e'", ["--a=b cd"], "'--e'"],
    ["--a='b\\'c' d", ["--a=b'c"], "d"],
    ["--a=b\\ c\\", ["--a=b c"], ""],
    ['--a="b', ["--a=b"], ""],
    ["-a", [], "-a"],
    ["é --b", [], "é --b"],
    ["--a=é b", ["--a=Ã©"], "b"],
    ["--a=à b", ["--a=Ã"], "b"],
  ])("splits %j", (text, flags, rest) => {
    expect(splitFlags(text, "\\")).toEqual({ flags, rest });
  });

  it("escapes with the character that the file asks for", () => {
    expect(splitFlags("--a=b\\c` d e", "`")).toEqual({ flags: ["--a=b\\c d"], rest: "e" });
  });
});

describe("readFlags", () => {
  const kinds = { text: "text", on: "switch", many: "list" } as const;

  it("gives values by name, and what it does not know as it is", () => {
    const flags = readFlags(["--text=a=b", "--on", "--many=1", "--x=1", "--many=", "--Text=2"], kinds);

    expect([flags.text("text"), flags.switch("on"), flags.list("many")]).toEqual(["a=b", true, ["1", ""]]);
    expect(flags.unknown).toEqual(["--x=1", "--Text=2"]);
  });

  it("gives nothing for what is not there or empty", () => {
    const flags = readFlags(["--text="], kinds);

    expect([flags.text("text"), flags.switch("on"), flags.list("many")]).toEqual([undefined, undefined, []]);
  });

  it.each(["--on=TRUE", "--on=true"])("takes %s for yes", (flag) => {
    expect(readFlags([flag], kinds).switch("on")).toBe(true);
  });

  it.each([
    [["--text"], "it has no value"],
    [["--many"], "it has no value"],
    [["--on="], "it is either true or false"],
    [["--on=1"], "it is either true or false"],
    [["--text=1", "--text=1"], "it is given twice"],
    [["--on", "--on=false"], "it is given twice"],
  ])("refuses %j", (flags, why) => {
    expect(() => readFlags(flags, kinds)).toThrow(why);
  });
});
