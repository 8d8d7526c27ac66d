// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import { openBuildkitBridge } from "./buildkit-bridge.ts";
import { expectFailure } from "./expect-failure.ts";
import { recordDocker } from "./recorded-docker.ts";
import { openSite } from "./site.ts";
import { expectSound } from "./sound-image.ts";

const site = await openSite({ generation: 28, store: "containerd" });
const bridge = await openBuildkitBridge(site);
afterAll(async () => {
  bridge.close();
  await site.close();
});
const base = await tinyBase(site.registry);
const docker = await recordDocker(site);
const dockerfile = `FROM ${base} AS tools
RUN echo tool > /tool
FROM ${base}
RUN echo made > /made
COPY --from=tools /tool /tool
COPY a /a
`;

/** Runs the client that the command line finds, with the same list of builders. */
async function dockerHere(...args: string[]): Promise<string> {
  return (await site.engine?.exec(["docker", ...args]))?.stdout ?? "";
}

const build = ["build", "--insecure-registry", site.registry.name];

await dockerHere("buildx", "create", "--name", "remote", "--driver", "remote", bridge.endpoint);

/** Builds twice, and checks the image and how it came to be. */
async function expectBuilder(
  name: string,
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const folder = await site.context(name, { Dockerfile: dockerfile, a: "1" });
  const reference = `${site.registry.name}/${name}:1`;
  const args = ["--tag", reference, ...flags, folder];

  const first = await site.build(args, { env: { ...docker.env, ...env } });
  await site.context(name, { a: "2" });
  const second = await site.build(args, { env: { ...docker.env, ...env } });

  expect([first.report.route, second.report.route]).toEqual(["engine", "assemble"]);
  expect(first.report.warnings).toEqual([]);
  await expectSound(site, reference);
  await site.engineBuild([folder], `${site.registry.name}/${name}-truth:1`);
  expect(await site.differences(reference, `${site.registry.name}/${name}-truth:1`)).toEqual([]);
  return first.report.engine ?? "";
}

it("builds with a remote builder that --builder names", async () => {
  const before = bridge.connections();

  const engine = await expectBuilder("by-flag", ["--builder", "remote"]);

  expect(engine).toMatch(/^buildx \d+\.\d+\.\d+ \(builder remote, remote\)$/);
  expect(bridge.connections()).toBeGreaterThan(before);
});

it("builds with the builder that the environment selects", async () => {
  const engine = await expectBuilder("by-environment", [], { BUILDX_BUILDER: "remote" });

  expect(engine).toContain("builder remote");
});

it("builds with the builder that is in use", async () => {
  await dockerHere("buildx", "use", "remote");

  const engine = await expectBuilder("in-use", []).finally(() => dockerHere("buildx", "use", "default"));

  expect(engine).toContain("builder remote");
});

it("builds with Docker's own builder where another one is in use", async () => {
  await dockerHere("buildx", "use", "remote");
  await docker.forget();

  const engine = await expectBuilder("own", ["--builder", "default"]).finally(() =>
    dockerHere("buildx", "use", "default"),
  );

  expect(engine).toMatch(/^Docker 28\..* \(containerd image store\)$/);
  const builds = (await docker.calls()).filter(([first, second]) => first === "buildx" && second === "build");
  expect(builds.map((call) => call.join(" ")).join("\n")).toContain("--builder default");
});

it("loads what a remote builder made into Docker", async () => {
  const text = `FROM ${base}\nRUN echo loaded > /made\nCMD ["cat", "/made"]\n`;
  const folder = await site.context("remote-load", { Dockerfile: text });

  const outcome = await site.layerwise([...build, "--builder", "remote", "--tag", "remote-load:1", folder]);

  expect(outcome.exitCode, outcome.stderr).toBe(0);
  expect(await dockerHere("run", "--rm", "remote-load:1")).toBe("loaded\n");
});

it.each([
  ["by its flag", ["--builder", "nobody"], {}],
  ["in the environment", [], { BUILDX_BUILDER: "nobody" }],
])("says that there is no builder of the name that is given %s", async (_, flags, env) => {
  const folder = await site.context("no-builder", { Dockerfile: dockerfile, a: "1" });

  const outcome = await site.layerwise([...build, ...flags, "--tag", "no-builder:1", folder], { env });

  expectFailure(outcome, { code: "ENGINE_UNREACHABLE", says: ["the builder nobody", "docker buildx ls"] });
});
