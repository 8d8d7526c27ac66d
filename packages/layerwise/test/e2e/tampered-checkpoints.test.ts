// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import { newestKind, sampleOf } from "../../../lab/test/engine-kinds.ts";
import { expectFailure } from "./expect-failure.ts";
import { openRawRepository, type RawDescriptor } from "./raw-repository.ts";
import { digestOf } from "./registry-traffic.ts";
import { noEngine, openSite, type RunOptions, type Site } from "./site.ts";
import { findCheckpoint, flipped, tamperedCheckpoints, tamperedFiles } from "./tampering.ts";

let count = 0;

describe.each(newestKind)("with Docker $generation and the $store store", (kind) => {
  let site: Site;
  let dockerfile: string;
  beforeAll(async () => {
    site = await openSite(kind, { isProxied: true, reads: "latest" });
    await tinyBase(site.registry);
    const base = `FROM ${site.proxy.name}/tiny:1`;
    dockerfile = [base, "COPY deps /deps", "RUN cat /deps > /installed", "COPY src /opt/data/", ""].join("\n");
    await site.context("truth", { Dockerfile: dockerfile, deps: "1", "src/a": "changed" });
    await site.engineBuild(["truth"], `${site.proxy.name}/truth:1`);
  });
  afterAll(async () => await site.close());

  /** A published application, of which only a file changes after its RUN. */
  async function publishedApp(text: string = dockerfile) {
    count += 1;
    const name = `app-${count}`;
    await site.proxy.mend();
    await site.context(name, { Dockerfile: text, deps: "1", "src/a": "first" });
    const build = async (options: RunOptions & { flags?: readonly string[] } = {}) =>
      await site.build([...(options.flags ?? []), "--tag", `${site.proxy.name}/${name}:1`, name], options);
    await build();
    await site.context(name, { "src/a": "changed" });
    const repository = openRawRepository(site.registry, name);
    const checkpoint = await findCheckpoint(repository, "RUN cat /deps");
    const { manifest: later } = await findCheckpoint(repository, "COPY src");
    const digest = async () => await digestOf(site.registry, `${name}/manifests/1`);
    return { name, build, digest, target: { repository, later, ...checkpoint }, published: await digest() };
  }

  const truth = () => `${site.registry.name}/truth:1`;

  it.each(sampleOf(tamperedCheckpoints, 3))("refuses a checkpoint that $name", async ({ tamper, says }) => {
    const { name, build, digest, target, published } = await publishedApp();
    site.proxy.rule = await tamper(target);
    const reference = `${site.registry.name}/${name}:1`;
    const flags = ["build", "--push", "--insecure-registry", site.proxy.name, "--tag", `${site.proxy.name}/${name}:1`];

    const without = await site.layerwise([...flags, name], { env: noEngine });
    const digestWithout = await digest();
    const { report } = await build();
    await site.proxy.mend();
    const next = await build({ env: noEngine });

    expectFailure(without, { code: "ENGINE_MISSING", says: ["RUN cat /deps"] });
    expect(without.stderr).toContain(`${target.tag} is not used: `);
    expect(digestWithout).toBe(published);
    expect(report.route).toBe("engine");
    const refused = report.checkpoints.refused.find(({ tag }) => tag === target.tag);
    expect(refused?.why).toMatch(says);
    expect(report.checkpoints.found).toEqual([]);
    expect(next.report.route).toBe("reuse");
    expect(await site.differences(reference, truth())).toEqual([]);
    expect(await site.flaws(reference)).toEqual([]);
  });

  it.each(sampleOf(tamperedFiles, 3))("refuses a list of files that $name", async ({ tamper, says }) => {
    const { name, build, target } = await publishedApp();
    site.proxy.rule = await tamper(target);
    const reference = `${site.registry.name}/${name}:1`;

    const { report } = await build({ env: noEngine });
    await site.proxy.mend();
    await site.context(name, { "src/a": "next" });
    const next = await build({ env: noEngine });
    await site.context(name, { "src/a": "changed" });
    await build({ env: noEngine });

    expect(report.route).toBe("assemble");
    expect(report.checkpoints.refused.map(({ why }) => why)).toContainEqual(expect.stringMatching(says));
    expect(next.report.route).toBe("assemble");
    expect(await site.differences(reference, truth())).toEqual([]);
    expect(await site.flaws(reference)).toEqual([]);
  });

  it("builds the whole Dockerfile if the engine cannot read a layer of a checkpoint", async () => {
    const text = dockerfile.replace("COPY src", "RUN cat /installed > /twice\nCOPY src");
    const { name, build, target } = await publishedApp(text);
    await site.engine?.wipe();
    await site.context(name, { Dockerfile: text.replace("/twice", "/again") });
    await site.context("again", { Dockerfile: text.replace("/twice", "/again"), deps: "1", "src/a": "changed" });
    site.proxy.rule = await flipped(target.repository, target.manifest.layers.at(-1) as RawDescriptor);

    const { report } = await build();

    await site.proxy.mend();
    await site.engineBuild(["again"], `${site.proxy.name}/truth-again:1`);
    expect(report.warnings).toContainEqual(
      expect.stringMatching(/could not continue a checkpoint .*; building the whole Dockerfile$/),
    );
    expect(await site.differences(`${site.registry.name}/${name}:1`, `${site.registry.name}/truth-again:1`)).toEqual(
      [],
    );
  });
});
