// SPDX-License-Identifier: Apache-2.0
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, tinyBase } from "../../../lab/src/index.ts";
import { newestKind } from "../../../lab/test/engine-kinds.ts";
import { expectFailure } from "./expect-failure.ts";
import { digestOf } from "./registry-traffic.ts";
import { openSite, type Site } from "./site.ts";

const megabyte = 1024 * 1024;
const diskBytes = 192 * megabyte;
/** Megabytes that the RUN writes; they do not compress. */
const written = 30;

let count = 0;

describe.each(newestKind)("with Docker $generation and the $store store, a full disk of the engine", (kind) => {
  let site: Site;
  let base: string;
  beforeAll(async () => {
    site = await openSite(kind, { diskBytes });
    base = await tinyBase(site.registry);
  });
  afterAll(async () => await site.close());

  /** An application whose first version, without RUN, is published; the engine has built nothing yet. */
  async function publishedApp() {
    await site.engine?.wipe();
    count += 1;
    const name = `app-${count}`;
    const first = `FROM ${base}\nCOPY a /a\n`;
    await site.context(name, { Dockerfile: first, a: "0" });
    const reference = `${site.registry.name}/${name}:1`;
    const args = ["build", "--push", "--insecure-registry", site.registry.name, "--tag", reference, name];
    const build = async () => await site.layerwise(args);
    expect(await build()).toMatchObject({ exitCode: 0 });
    const digest = async () => await digestOf(site.registry, `${name}/manifests/1`);
    await site.context(name, {
      Dockerfile: `${first}RUN dd if=/dev/urandom of=/random bs=${megabyte} count=${written}\n`,
    });
    return { name, reference, build, digest, published: await digest() };
  }

  it.each([
    { when: "before it can read the base", left: 0, code: "DISK", says: "the engine's disk is full" },
    { when: "in the middle of a RUN", left: 20 * megabyte, code: "BUILD_FAILED", says: "exit code: 1" },
    { when: "where the result goes", left: 45 * megabyte, code: "DISK", says: "the engine's disk is full" },
  ] as const)("$when is told, moves no tag, and the next run completes", async ({ left, code, says }) => {
    const { reference, build, digest, published } = await publishedApp();
    const free = await fill(site.engine as Engine, left);

    const outcome = await build();
    const after = await digest();
    await free();
    const next = await build();

    expectFailure(outcome, { code, says: [says] });
    expect(outcome.stderr).toMatch(/no space left on device/i);
    expect(outcome.stderr).not.toContain("building the whole Dockerfile");
    expect(after).toBe(published);
    expect(next, next.stderr).toMatchObject({ exitCode: 0 });
    expect(await digest()).not.toBe(published);
    expect(await site.flaws(reference)).toEqual([]);
    expect(await readdir(site.scratch)).toEqual([]);
  });
});

/** Fills the engine's disk but for some bytes; what it returns frees it again. */
async function fill(engine: Engine, left: number): Promise<() => Promise<void>> {
  const { stdout } = await engine.exec(["docker", "info", "--format", "{{.DockerRootDir}}"]);
  const folder = stdout.trim();
  const free = 'free=$(df --block-size=1 --output=avail "$1" | tail -n 1)';
  // The engine may write something meanwhile.
  const once = `${free}; fallocate -l $((free - $2)) "$1/ballast"`;
  await engine.exec(["sh", "-c", `for i in 1 2 3 4 5; do ${once} && exit 0; done; exit 1`, "sh", folder, `${left}`]);
  return async () => {
    await engine.exec(["rm", `${folder}/ballast`]);
  };
}
