// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { amd64 } from "../../test/draft.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import type { BuildContext } from "../ports.ts";
import { globalScopeOf, imagesReadBy, neededHeads } from "./global-scope.ts";
import { contextName, type NamedContexts, refuseUnread } from "./named-contexts.ts";
import { Refusal } from "./refusal.ts";

// Names as reference.FamiliarString of github.com/distribution/reference v0.6.0 writes them, without :latest.
describe("contextName", () => {
  it.each([
    ["assets", "assets"],
    ["assets:latest", "assets"],
    ["docker.io/library/assets:latest", "assets"],
    ["index.docker.io/library/assets", "assets"],
    ["team/assets", "team/assets"],
    ["assets:1", "assets:1"],
    ["registry.test:5000/assets:latest", "registry.test:5000/assets"],
    [`assets@sha256:${"0".repeat(64)}`, `assets@sha256:${"0".repeat(64)}`],
    [`assets:1@sha256:${"0".repeat(64)}`, `assets:1@sha256:${"0".repeat(64)}`],
    ["Not A Reference", "Not A Reference"],
  ])("writes %s as %s", (text, name) => {
    expect(contextName(text)).toBe(name);
  });
});

describe("refuseUnread", () => {
  const directories = new Map([["directory", {} as BuildContext]]);

  it.each([
    ["FROM directory", "directory"],
    ["FROM directory:latest", "directory:latest"],
    ["ARG B=url\nFROM $B", "url"],
    ["FROM base\nCOPY --from=url a /", "url"],
    ["FROM base\nRUN --mount=from=docker.io/library/url,target=/x true", "docker.io/library/url"],
    ["FROM base AS one\nCOPY --from=url a /\nFROM one", "url"],
  ])("leaves %j to the engine", (text, detail) => {
    expect(refused(text, { directories, otherContexts: ["url"] })).toEqual({ name: "named-context", detail });
  });

  it.each([
    "FROM base\nCOPY --from=directory a /",
    "FROM base\nRUN --mount=from=directory,target=/x true",
    "FROM url AS unneeded\nFROM base",
    "FROM base AS unneeded\nCOPY --from=url a /\nFROM base",
  ])("lets %j be evaluated", (text) => {
    expect(refused(text, { directories, otherContexts: ["url"] })).toBeUndefined();
  });
});

function refused(text: string, contexts: NamedContexts): object | undefined {
  const dockerfile = parseDockerfile(`${text}\n`, "Dockerfile");
  const scope = globalScopeOf(dockerfile, { buildArgs: new Map(), buildPlatform: amd64, targetPlatform: amd64 });
  const heads = neededHeads(dockerfile, { scope, target: undefined, platform: amd64 });
  try {
    refuseUnread(heads, { contexts, imagesReadBy: (head) => imagesReadBy(dockerfile, head) });
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { name, detail } = error.reason;
    return { name, detail };
  }
}
