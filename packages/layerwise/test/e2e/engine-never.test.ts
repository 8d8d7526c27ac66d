// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import { expectFailure } from "./expect-failure.ts";
import { openSite } from "./site.ts";

const site = await openSite(undefined);
afterAll(async () => await site.close());
const base = await tinyBase(site.registry);
const never = ["--engine", "never", "--insecure-registry", site.registry.name];

it("with --engine never, refuses a RUN with its place before anything is written", async () => {
  const context = await site.context("run", { Dockerfile: `FROM ${base}\nCOPY a /a\nRUN true\n`, a: "1" });
  const args = ["--tag", `${site.registry.name}/run:1`, context];

  const mark = await site.registry.mark();
  const built = await site.layerwise(["build", "--push", "--report", join(context, "report"), ...never, ...args]);
  const requests = await site.registry.requests(mark);
  const planned = await site.layerwise(["plan", ...never, ...args]);

  for (const outcome of [built, planned]) {
    const says = ["Dockerfile:3:1", "needs an engine: RUN executes a command (line 3) [run-executes]", "Docker"];
    expectFailure(outcome, { code: "ENGINE_NEEDED", says });
    expect(outcome.exitCode).toBe(3);
  }
  expect(requests.filter(({ method }) => method !== "GET" && method !== "HEAD")).toEqual([]);
  expect(await site.tags("run")).toEqual([]);
  expect(existsSync(join(context, "report"))).toBe(false);
});

it("with --engine never, names the reasons in the event of --progress json", async () => {
  const context = await site.context("json", { Dockerfile: `FROM ${base}\nRUN true\n` });
  const args = ["--push", "--progress", "json", ...never, "--tag", `${site.registry.name}/json:1`, context];

  const { stderr, exitCode } = await site.layerwise(["build", ...args]);

  const last = JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
  expect(exitCode).toBe(3);
  expect(last).toMatchObject({ kind: "error", code: "ENGINE_NEEDED", details: { reasons: ["run-executes"] } });
});

it("with --engine never, assembles and reuses", async () => {
  const context = await site.context("copy", { Dockerfile: `FROM ${base}\nCOPY a /a\n`, a: "1" });

  const first = await site.build(["--engine", "never", "--tag", `${site.registry.name}/copy:1`, context]);
  const second = await site.build(["--engine", "never", "--tag", `${site.registry.name}/copy:2`, context]);

  expect([first.report.route, second.report.route]).toEqual(["assemble", "reuse"]);
  expect(await site.tags("copy")).toEqual(["1", "2"]);
});

it("with --engine never, says what is wrong with a base rather than that an engine might have it", async () => {
  const context = await site.context("base", { Dockerfile: `FROM ${site.registry.name}/missing:1\n` });
  const args = ["--push", ...never, "--tag", `${site.registry.name}/base:1`, context];

  const outcome = await site.layerwise(["build", ...args]);

  expectFailure(outcome, { code: "REGISTRY_NOT_FOUND", says: ["missing:1"] });
});

it.each([
  [[], "could not load into Docker with --engine never"],
  [["--load"], "could not load into Docker with --engine never"],
  [["--push", "--verify"], "could not verify with --engine never"],
  [["--push", "--engine", "sometimes"], "could not read --engine sometimes"],
])("with --engine never, refuses flags that need an engine: %j", async (flags, text) => {
  const context = await site.context("flags", { Dockerfile: `FROM ${base}\nCOPY a /a\n`, a: "1" });
  const args = ["build", ...never, "--tag", `${site.registry.name}/flags:1`, ...flags, context];

  expectFailure(await site.layerwise(args), { code: "USAGE", says: [text] });
});
