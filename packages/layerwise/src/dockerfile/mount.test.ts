// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type Mount, mountSource, parseMount } from "./mount.ts";

const asWritten = (word: string) => word;

const none: Mount = {
  type: "bind",
  from: undefined,
  source: undefined,
  target: undefined,
  readOnly: true,
  id: undefined,
  sharing: undefined,
  required: false,
  size: undefined,
  mode: undefined,
  uid: undefined,
  gid: undefined,
  env: undefined,
};

const valid: readonly (readonly [string, Partial<Mount>])[] = [
  ["target=/a", { target: "/a" }],
  ["type=bind,source=a,target=/b,from=build", { source: "a", target: "/b", from: "build" }],
  ["src=a,dst=/b", { source: "a", target: "/b" }],
  ["SOURCE=a,Destination=/b,TYPE=Bind", { source: "a", target: "/b" }],
  ["target=/a,rw", { target: "/a", readOnly: false }],
  ["target=/a,readwrite=false", { target: "/a", readOnly: true }],
  ["target=/a,ro=0", { target: "/a", readOnly: false }],
  ["target=/a,readonly=T", { target: "/a", readOnly: true }],
  ["target=/a,target=/b,from=,source=", { target: "/b" }],
  ['"target=/a,b","source=c""d"', { target: "/a,b", source: 'c"d' }],
  ["type=cache,target=/c", { type: "cache", target: "/c", readOnly: false }],
  [
    "type=cache,id=i,target=/c,sharing=Locked,mode=0755,uid=1000,gid=0,ro",
    { type: "cache", id: "i", target: "/c", sharing: "locked", mode: 0o755, uid: 1000, gid: 0 },
  ],
  ["type=tmpfs,target=/t,size=1.5g", { type: "tmpfs", target: "/t", size: 1_610_612_736, readOnly: false }],
  ["type=secret,id=token", { type: "secret", id: "token" }],
  ["type=secret,id=token,required,env=TOKEN", { type: "secret", id: "token", required: true, env: "TOKEN" }],
  ["type=secret,target=/s,required=false,mode=0400,env=", { type: "secret", target: "/s", mode: 0o400, env: "" }],
  ["type=ssh", { type: "ssh" }],
  ["type=ssh,required=1,id=default", { type: "ssh", required: true, id: "default" }],
];

const invalid = [
  ["", "it is empty"],
  ["target", '"target" has no value'],
  ["nonsense", '"nonsense" has no value'],
  ["target=/a,", '"" has no value'],
  ["type=bnd", "there is no type bnd"],
  ["tgt=/a", "there is no key tgt"],
  ["target=/a,ro=yes", '"yes" is neither true nor false'],
  ["target=/a,ro=", '"" is neither true nor false'],
  ["target=/a,required", "a bind mount has no such key"],
  ["required,type=secret,id=a", "a bind mount has no such key"],
  ["target=/a,size=1", "a bind mount has no size"],
  ["type=tmpfs,size=big", '"big" is no size'],
  ["type=cache,target=/c,sharing=all", "there is no sharing all"],
  ["type=bind,target=/c,sharing=shared", "a bind mount has no sharing"],
  ["type=cache,mode=9", '"9" is no mode'],
  ["type=cache,mode=", '"" is no mode'],
  ["type=cache,uid=4294967296", '"4294967296" is no uid'],
  ["type=cache,gid=+1", '"+1" is no gid'],
  ["target=/a,uid=1", "a bind mount has no uid"],
  ["type=tmpfs,mode=0700", "a tmpfs mount has no mode"],
  ["type=secret", "a secret mount needs an id, a source or a target"],
  ["type=secret,id=a,from=b", "a secret mount has no from"],
  ["type=secret,id=a,source=b", "it has both source and id"],
  ["type=secret,id=a,sharing=shared", "a secret mount has no sharing"],
  ['target=/a"b', "a quote in it is open or in the middle of a field"],
  ['"target=/a', "a quote in it is open or in the middle of a field"],
  ['"target=/a"b', "a quote in it is open or in the middle of a field"],
] as const;

describe("parseMount", () => {
  it.each(valid)("reads %s", (value, expected) => {
    expect(parseMount(value, asWritten)).toEqual({ ...none, ...expected });
  });

  it.each(invalid)("refuses %j: %s", (value, why) => {
    const parse = () => parseMount(value, asWritten);

    expect(parse).toThrow(why);
    expect(parse).toThrow(expect.objectContaining({ code: "DOCKERFILE_SYNTAX" }));
  });

  it("expands each value by itself, and no key", () => {
    const seen: string[] = [];

    const mount = parseMount("type=$T,target=/$A,ro", (word) => {
      seen.push(word);
      return word.replace("$T", "cache").replace("$A", "a,b");
    });

    expect(mount).toEqual({ ...none, type: "cache", target: "/a,b" });
    expect(seen).toEqual(["$T", "/$A"]);
  });

  it("suggests a key that is near", () => {
    expect(() => parseMount("traget=/a", asWritten)).toThrow(
      expect.objectContaining({ hint: "write target if that is meant" }),
    );
  });
});

describe("mountSource", () => {
  it.each([
    ["target=/a", undefined],
    ["from=build,target=/a", "build"],
    ["FROM=a,from=b$", "b$"],
    ["from=,target=/a", undefined],
    ["from", undefined],
    ["type=$T,target=$A", undefined],
  ])("of %s is %s", (value, from) => {
    expect(mountSource(value)).toBe(from);
  });

  it("cannot be a variable", () => {
    expect(() => mountSource("target=/a,from=$STAGE")).toThrow("variables are not expanded in it");
  });
});
