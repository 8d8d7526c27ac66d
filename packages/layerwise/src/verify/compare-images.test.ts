// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { digestOf } from "../spec/digest.ts";
import type { ImageConfig } from "../spec/image-config.ts";
import { differencesBetween, repeatableDifferences } from "./compare-images.ts";
import type { FileFacts, ImageContents } from "./image-contents.ts";

const plain: FileFacts = {
  type: "file",
  mode: "0644",
  owner: "0:0",
  target: undefined,
  device: undefined,
  content: digestOf("x"),
  xattrs: "",
  madeBy: "COPY a",
};

function contents(
  files: Readonly<Record<string, Partial<FileFacts>>>,
  config: Partial<ImageConfig> = {},
): ImageContents {
  const platform = { os: "linux", architecture: "amd64" };
  return {
    name: "image",
    config: { ...platform, config: {}, diffIds: [], history: [], ...config },
    files: new Map(Object.entries(files).map(([path, facts]) => [path, { ...plain, ...facts }])),
  };
}

describe("differencesBetween", () => {
  it.each<[field: string, one: Partial<FileFacts>, other: Partial<FileFacts>]>([
    ["type", {}, { type: "directory" }],
    ["mode", {}, { mode: "0600" }],
    ["owner", {}, { owner: "1:1" }],
    ["content", {}, { content: digestOf("y") }],
    ["xattrs", {}, { xattrs: "user.a=62" }],
    ["target", { type: "symlink", target: "a" }, { type: "symlink", target: "b" }],
    ["device", { type: "block-device", device: "1:1" }, { type: "block-device", device: "1:2" }],
  ])("finds another %s, and says which instruction made the path", (field, one, other) => {
    const found = differencesBetween(contents({ a: one }), contents({ a: other }));

    expect(found).toMatchObject([{ path: "/a", field, instruction: "COPY a" }]);
  });

  it("finds what only one of them has", () => {
    const found = differencesBetween(contents({ a: {}, b: {} }), contents({ b: {}, c: { madeBy: "RUN c" } }));

    expect(found).toMatchObject([
      { path: "/a", field: "presence", one: "file", other: undefined, instruction: "COPY a" },
      { path: "/c", field: "presence", one: undefined, other: "file", instruction: "RUN c" },
    ]);
  });

  it("does not care which instruction made a path", () => {
    expect(differencesBetween(contents({ a: {} }), contents({ a: { madeBy: "RUN cp" } }))).toEqual([]);
  });

  it("finds another field of the runtime config and of the platform", () => {
    const one = contents({}, { config: { Env: ["A=1"], Cmd: ["x"] } });
    const other = contents({}, { architecture: "arm64", config: { Env: ["A=2"], User: "u" } });

    expect(differencesBetween(one, other).map(({ path, field }) => [path, field])).toEqual([
      [undefined, "architecture"],
      [undefined, "Env"],
      [undefined, "Cmd"],
      [undefined, "User"],
    ]);
  });

  it("takes fields that say nothing for fields that are not there", () => {
    const one = contents({}, { config: { Labels: {}, Entrypoint: [], User: "", ArgsEscaped: true } });

    expect(differencesBetween(one, contents({}))).toEqual([]);
  });
});

describe("repeatableDifferences", () => {
  it("leaves out fields of paths that vary by themselves, and nothing else", () => {
    const found = differencesBetween(
      contents({ a: {}, b: {} }),
      contents({ a: { content: digestOf("1") }, b: { mode: "0600" } }),
    );
    const varying = differencesBetween(
      contents({ a: {}, b: {} }),
      contents({ a: { content: digestOf("2") }, b: { owner: "1:1" } }),
    );

    const left = repeatableDifferences(found, varying);

    expect(left.map(({ path, field }) => [path, field])).toEqual([["/b", "mode"]]);
  });
});
