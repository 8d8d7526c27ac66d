// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { draft } from "../../test/draft.ts";
import { engineOnly } from "./engine-only.ts";

function reasonFor(instruction: string, input: { readonly head?: string; readonly frontEnd?: string } = {}) {
  const { chain } = draft({
    dockerfile: `${input.head ?? ""}FROM base\n${instruction}\n`,
    files: { f: "f", d: { directory: true } },
    buildArgs: input.frontEnd === undefined ? {} : { BUILDKIT_SYNTAX: input.frontEnd },
  });
  const last = chain.steps.at(-1) as (typeof chain.steps)[number];
  return engineOnly(last.step)?.name;
}

describe("engineOnly", () => {
  it.each([
    "COPY f /x",
    "COPY <<F /x/\n1\nF",
    "COPY <<*.txt /x/\n1\n*.txt",
    "COPY --chmod=0644 f /x",
    "COPY --chmod=4755 f /x",
    "COPY --chmod=u=rwX,go=rX f /x",
    "COPY . /x/.",
    "COPY ./ / ./.",
    "WORKDIR /x",
    "WORKDIR /x\nWORKDIR $NONE",
  ])("leaves nothing of %j to the engine", (instruction) => {
    expect(reasonFor(instruction)).toBeUndefined();
  });

  it("leaves letters in --chmod to the engine where a front end is asked for, which older engines take for 0", () => {
    const head = "# syntax=docker/dockerfile:1\n";

    expect(reasonFor("COPY --chmod=go-w f /x", { head })).toBe("copy-chmod");
    expect(reasonFor("COPY --chmod=go-w f /x", { frontEnd: "docker/dockerfile:1.14" })).toBe("copy-chmod");
    expect(reasonFor("COPY --chmod=0755 f /x", { head })).toBeUndefined();
  });

  it.each([
    ["RUN true", "run-executes"],
    ["COPY <<a/b /x/\n1\na/b", "copy-heredoc"],
    ["COPY <<.. /x/\n1\n..", "copy-heredoc"],
    [`COPY <<${"n".repeat(256)} /x/\n1\n${"n".repeat(256)}`, "copy-heredoc"],
    ["COPY --link --chown=1 f /x", "copy-link"],
    ["COPY --parents f /x/", "copy-parents"],
    ["COPY --exclude=g --exclude=!g/h f /x/", "copy-exclude"],
    ["COPY --exclude=./!g f /x/", "copy-exclude"],
    ["COPY --exclude=[ f /x/", "copy-exclude"],
    ["COPY --exclude=[z-a] f /x/", "copy-exclude"],
    ["COPY --chmod=17777 f /x", "copy-chmod"],
    ["COPY --chmod=u+s f /x", "copy-chmod"],
    ["COPY --chmod=$M f /x", "instruction-form"],
    ["COPY --unknown f /x", "flag-unknown"],
    ["COPY f /x/.", "instruction-form"],
    ["COPY . d /x/.", "instruction-form"],
    ["COPY . <<F /x/.\n1\nF", "instruction-form"],
    ["ADD https://example.test/f /x", "add-remote"],
  ])("leaves %j to the engine", (instruction, name) => {
    expect(reasonFor(instruction)).toBe(name);
  });
});
