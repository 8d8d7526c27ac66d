// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseRepositoryName } from "../spec/reference.ts";
import { credentialPlaces, type DockerConfig, decodeDockerConfig } from "./docker-config.ts";

const file = "/home/me/.docker/config.json";

describe("credentialPlaces", () => {
  it.each<{ what: string; config: DockerConfig; repository?: string; expected: readonly string[] }>([
    { what: "an empty config", config: {}, expected: [] },
    { what: "the host's entry", config: { auths: { "registry.example": pair("me") } }, expected: ["me"] },
    { what: "another host's entry", config: { auths: { "other.example": pair("me") } }, expected: [] },
    { what: "the host on another port", config: { auths: { "registry.example:5000": pair("me") } }, expected: [] },
    { what: "a key with a scheme", config: { auths: { "https://registry.example": pair("me") } }, expected: ["me"] },
    {
      what: "a key with scheme and path",
      config: { auths: { "https://registry.example/v2/": pair("me") } },
      expected: ["me"],
    },
    { what: "an old key with a version", config: { auths: { "registry.example/v1/": pair("me") } }, expected: ["me"] },
    { what: "user and password in clear", config: { auths: { "registry.example": clear("me") } }, expected: ["me"] },
    { what: "a placeholder entry", config: { auths: { "registry.example": {} } }, expected: [] },
    {
      what: "the longest name of several",
      config: {
        auths: {
          "registry.example": pair("host"),
          "registry.example/team": pair("team"),
          "registry.example/team/app": pair("app"),
          "registry.example/team/application": pair("other"),
        },
      },
      expected: ["app"],
    },
    {
      what: "a longer name that only begins alike",
      config: { auths: { "registry.example": pair("host"), "registry.example/tea": pair("tea") } },
      expected: ["host"],
    },
    {
      what: "Docker Hub by its old name",
      config: { auths: { "https://index.docker.io/v1/": pair("hub") } },
      repository: "alpine",
      expected: ["hub"],
    },
    {
      what: "Docker Hub by its short name",
      config: { auths: { "docker.io": pair("hub") } },
      repository: "team/app",
      expected: ["hub"],
    },
    {
      what: "Docker Hub under two names",
      config: { auths: { "docker.io": pair("short"), "https://index.docker.io/v1/": pair("old") } },
      repository: "alpine",
      expected: ["old"],
    },
    {
      what: "helper, store and entry",
      config: {
        credsStore: "desktop",
        credHelpers: { "registry.example": "cloud" },
        auths: { "registry.example": pair("me") },
      },
      expected: ["cloud registry.example", "desktop registry.example", "me"],
    },
    {
      what: "a helper for another host",
      config: { credHelpers: { "other.example": "cloud" }, credsStore: "desktop" },
      expected: ["desktop registry.example"],
    },
    {
      what: "a helper for Docker Hub",
      config: { credHelpers: { "docker.io": "cloud" } },
      repository: "alpine",
      expected: ["cloud https://index.docker.io/v1/"],
    },
    { what: "an empty store", config: { credsStore: "" }, expected: [] },
  ])("finds $expected for $what", ({ config, repository = "registry.example/team/app", expected }) => {
    const places = credentialPlaces(config, { name: parseRepositoryName(repository), file });

    expect(places.map(shortForm)).toEqual(expected);
  });

  it.each([
    {
      entry: { auth: base64("me:pass:word\0\0") },
      expected: { kind: "password", username: "me", password: "pass:word" },
    },
    { entry: { auth: base64("me:x"), identitytoken: "id" }, expected: { kind: "identity-token", token: "id" } },
    { entry: { registrytoken: "reg", identitytoken: "id" }, expected: { kind: "registry-token", token: "reg" } },
  ])("reads $expected.kind", ({ entry, expected }) => {
    const [place] = credentialPlaces(
      { auths: { "a.example": entry } },
      { name: { host: "a.example", path: "b" }, file },
    );

    expect(place).toMatchObject({ kind: "entry", credentials: expected });
    expect(JSON.stringify(place)).toContain(`the entry a.example of ${file}`);
  });

  it("refuses an auth that is not user and password, without quoting it", () => {
    const config = { auths: { "registry.example": { auth: base64("hunter2") } } };

    const reading = () => credentialPlaces(config, { name: { host: "registry.example", path: "app" }, file });

    expect(reading).toThrow(`could not read the credentials in ${file}: the auth of registry.example is not`);
    expect(reading).not.toThrow(/hunter2/);
  });
});

describe("decodeDockerConfig", () => {
  it("reads what Docker and its plugins write", () => {
    const text = '{"auths": {"a.example": {}}, "credsStore": "pass", "plugins": {"x": {}}, "HttpHeaders": null}';

    expect(decodeDockerConfig(text, file)).toMatchObject({ auths: { "a.example": {} }, credsStore: "pass" });
  });

  it("takes an empty file for an empty config", () => {
    expect(decodeDockerConfig(" \n", file)).toEqual({});
  });

  it.each([
    ['{"auths": {"a.example": {"auth": "hunter2"', "it is no JSON"],
    ['{"auths": {"a.example": "hunter2"}}', "auths.a.example is not of the right type"],
    ['"hunter2"', "the document is not of the right type"],
  ])("refuses %s without quoting it", (text, why) => {
    const reading = () => decodeDockerConfig(text, file);

    expect(reading).toThrow(why);
    expect(reading).not.toThrow(/hunter2/);
  });
});

function pair(username: string): { auth: string } {
  return { auth: base64(`${username}:password`) };
}

function clear(username: string): { username: string; password: string } {
  return { username, password: "password" };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function shortForm(place: ReturnType<typeof credentialPlaces>[number]): string {
  if (place.kind === "helper") return `${place.name} ${place.server}`;
  return place.credentials.kind === "password" ? place.credentials.username : place.credentials.kind;
}
