// SPDX-License-Identifier: Apache-2.0
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "../../../lab/src/index.ts";
import { tinyBase } from "../../../lab/src/index.ts";
import { oldestKind } from "../../../lab/test/engine-kinds.ts";
import { expectFailure } from "./expect-failure.ts";
import { type Gate, openGate } from "./gate.ts";
import { digestOf } from "./registry-traffic.ts";
import { openSite, type Site } from "./site.ts";

let count = 0;

describe.each(oldestKind)("with Docker $generation and the $store store", (kind) => {
  let site: Site;
  let gate: Gate;
  let base: string;
  beforeAll(async () => {
    site = await openSite(kind);
    gate = await openGate(site.registry);
    base = await tinyBase(site.registry);
  });
  beforeEach(() => gate.open());
  afterAll(async () => {
    await gate.close();
    await site.close();
  });

  /** An application whose first version, with a file and without RUN, is published. */
  async function publishedApp(run: string) {
    count += 1;
    const name = `app-${count}`;
    await site.context(name, { Dockerfile: `FROM ${base}\nCOPY a /a\n`, a: "0" });
    const reference = `${site.registry.name}/${name}:1`;
    const args = ["build", "--push", "--insecure-registry", site.registry.name, "--tag", reference];
    const build = async (...flags: readonly string[]) => await site.layerwise([...args, ...flags, name]);
    const start = () => site.start([...args, name]);
    const first = await build();
    expect(first, first.stderr).toMatchObject({ exitCode: 0 });
    const digest = async () => await digestOf(site.registry, `${name}/manifests/1`);
    await site.context(name, { Dockerfile: `FROM ${base}\nCOPY a /a\nRUN ${run}\nCOPY a /b\n` });
    return { name, reference, build, start, digest, published: await digest() };
  }

  const lastWords = "echo last words; echo and complaints >&2; exit 3";

  it.each(["plain", "quiet"])("shows what a RUN said before it failed with --progress %s", async (progress) => {
    const { name, build, digest, published } = await publishedApp(lastWords);

    const outcome = await build("--progress", progress);

    const printed = expectFailure(outcome, { code: "BUILD_FAILED", says: ["exit code: 3", "engine's output above"] });
    expect(printed).toMatch(new RegExp(`^ {2}at ${name}/Dockerfile:3:1$`, "m"));
    expect(printed).toContain(`> 3 | RUN ${lastWords}\n`);
    expect(outcome.stderr).toMatch(/^#\d+ [\d.]+ last words$/m);
    expect(outcome.stderr).toMatch(/^#\d+ [\d.]+ and complaints$/m);
    expect(await digest()).toBe(published);
    expect(await readdir(site.scratch)).toEqual([]);
  });

  it("says that the daemon is gone in the middle of a build, moves no tag, and the next run completes", async () => {
    const { reference, build, start, digest, published } = await publishedApp(`wget -q -O /answer ${gate.url}`);
    const visit = gate.shut();
    const started = start();
    await visit;

    await killDaemon(site.engine as Engine);
    const outcome = await started.ended;
    const without = await build();
    await site.engine?.wipe();
    gate.open();
    const next = await build();

    expectFailure(outcome, { code: "ENGINE_UNREACHABLE", says: ["could not build the image", "daemon"] });
    expectFailure(without, { code: "ENGINE_UNREACHABLE", says: ["could not reach the Docker daemon", "(line 3)"] });
    expect(next, next.stderr).toMatchObject({ exitCode: 0 });
    expect(await digest()).not.toBe(published);
    expect(await site.flaws(reference)).toEqual([]);
    expect(await readdir(site.scratch)).toEqual([]);
  });

  it("says that there is no such builder", async () => {
    const { build, digest, published } = await publishedApp("true");

    const outcome = await build("--builder", "nowhere");

    const code = kind.generation === 20 ? "ENGINE_UNSUPPORTED" : "ENGINE_UNREACHABLE";
    expectFailure(outcome, { code, says: ["could not use the builder nowhere", "(line 3)"] });
    expect(await digest()).toBe(published);
  });
});

/** Kills the daemon and waits until it is gone; its client stays. */
async function killDaemon(engine: Engine): Promise<void> {
  const script = "pkill -KILL -x dockerd; while pgrep -x dockerd; do sleep 0.05; done";
  await engine.exec(["sh", "-c", script]);
}
