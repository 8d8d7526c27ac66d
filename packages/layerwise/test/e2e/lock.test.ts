// SPDX-License-Identifier: Apache-2.0
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { layerOf, openRegistryImage, pushImage } from "../../../lab/src/index.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { expectFailure } from "./expect-failure.ts";
import { noEngine, openSite } from "./site.ts";

const site = await openSite({ generation: 28, store: "containerd" });
afterAll(async () => await site.close());
const { registry } = site;
const insecure = ["--insecure-registry", registry.name];

/** Pushes an image with one file, in the place of one that is there. */
async function pushed(repository: string, content: string): Promise<string> {
  const layers = [layerOf([{ type: "file", path: "file", mode: 0o644, content }])];
  return await pushImage({ layers, config: {} }, { registry, repository });
}

async function manifestDigest(reference: string): Promise<string> {
  const { documents } = await openRegistryImage(reference);
  return digestOf(documents[0]?.bytes ?? "");
}

async function layerwise(...args: readonly string[]) {
  return await site.layerwise([...args.slice(0, 1), ...insecure, ...args.slice(1)], { env: noEngine });
}

it("writes what tags point to beside the Dockerfile, once and sorted, and checks it", async () => {
  const [one, other] = [await pushed("lock-b", "1"), await pushed("lock-a", "2")];
  const text = `ARG BASE=none\nFROM $BASE AS first\nFROM scratch AS rest\nCOPY --from=first file /a\nCOPY --from=${other} file /b\n`;
  const folder = await site.context("lock", { "app/Dockerfile": text });
  const flags = ["--build-arg", `BASE=${one}`, "-f", join(folder, "app/Dockerfile"), folder];

  const locked = await layerwise("lock", ...flags);
  const file = join(folder, "app/layerwise.lock");
  const before = await stat(file);
  const again = await layerwise("lock", ...flags);
  const checks = [
    await layerwise("lock", "--check", ...flags),
    await layerwise("lock", "--check", "--offline", ...flags),
  ];

  expect(locked.stderr).toBe("");
  const bases = { [other]: await manifestDigest(other), [one]: await manifestDigest(one) };
  expect(await readFile(file, "utf8")).toBe(`${JSON.stringify({ version: 1, bases }, undefined, 2)}\n`);
  expect(again.stdout.toString("utf8")).toContain("is up to date");
  expect((await stat(file)).mtimeMs).toBe(before.mtimeMs);
  expect(checks.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
});

it("finds out that a tag has moved, and offline that the images are others", async () => {
  const base = await pushed("lock-moved", "1");
  const folder = await site.context("moved", { Dockerfile: `FROM ${base}\n` });
  await layerwise("lock", folder);
  const old = await manifestDigest(base);
  await pushed("lock-moved", "2");

  const moved = await layerwise("lock", "--check", folder);
  const mark = await registry.mark();
  const offline = await layerwise("lock", "--check", "--offline", folder);
  const requests = await registry.requests(mark);
  await writeFile(join(folder, "Dockerfile"), "FROM registry.invalid/other:1\n");
  const other = await layerwise("lock", "--check", "--offline", folder);

  expectFailure(moved, { code: "LOCK_OUT_OF_DATE", says: [old, await manifestDigest(base), "layerwise lock"] });
  expect(offline.exitCode).toBe(0);
  expect(requests).toEqual([]);
  const says = ["registry.invalid/other:1 is missing", `${base} is not read any more`];
  expectFailure(other, { code: "LOCK_OUT_OF_DATE", says });
});

it("builds from the locked image after its tag has moved, here and in the engine", async () => {
  const base = await pushed("lock-build", "locked");
  const here = await site.context("here", { Dockerfile: `FROM ${base}\nCOPY a /a\n`, a: "1" });
  // A directory in the place of a base leaves the whole Dockerfile to the engine, with images by their tags.
  const dockerfile = `FROM more AS files\nFROM ${base}\nCOPY --from=files a /a\n`;
  const whole = await site.context("whole", { Dockerfile: dockerfile });
  const more = ["--build-context", `more=${here}`];
  await layerwise("lock", here);
  await layerwise("lock", ...more, whole);
  await pushed("lock-build", "moved");

  const built: string[] = [];
  for (const [folder, flags, env] of [
    [here, [], noEngine],
    [whole, more, {}],
  ] as const) {
    const tag = `${registry.name}/lock-built:${built.length}`;
    const lock = ["--lock-file", join(folder, "layerwise.lock")];
    const { report } = await site.build([...lock, ...flags, "--tag", tag, folder], { env });
    const { layers } = await site.image(tag);
    built.push(`${report.route} on ${layers[0]?.claims.digest}`);
  }

  const expected = layerOf([{ type: "file", path: "file", mode: 0o644, content: "locked" }]).digest;
  expect(built).toEqual([`assemble on ${expected}`, `engine on ${expected}`]);
});

it.each([
  ["without the file", undefined, "there is none"],
  ["with a file that is none", "[]", "could not read"],
  ["without the image", '{"version":1,"bases":{}}', "lock-missing:1"],
])("refuses to build %s", async (name, text, says) => {
  const base = await pushed("lock-missing", "1");
  const folder = await site.context(`missing ${name}`, { Dockerfile: `FROM ${base}\nCOPY a /a\n`, a: "1" });
  if (text !== undefined) await writeFile(join(folder, "layerwise.lock"), text);
  const flags = ["--push", "--tag", `${registry.name}/unbuilt:1`, "--lock-file", join(folder, "layerwise.lock")];

  const outcome = await layerwise("build", ...flags, folder);

  expectFailure(outcome, { code: "LOCK_OUT_OF_DATE", says: [says, "layerwise lock"] });
  expect(await site.tags("unbuilt")).toEqual([]);
});

it("refuses what it cannot lock", async () => {
  const front = await site.context("front", { Dockerfile: "# syntax=example.org/front:1\nFROM a\n" });
  const absent = await site.context("absent", { Dockerfile: `FROM ${registry.name}/absent:1\n` });

  expectFailure(await layerwise("lock", front), { code: "LOCK_UNSUPPORTED", says: ["example.org/front:1"] });
  expectFailure(await layerwise("lock", absent), { code: "REGISTRY_NOT_FOUND", says: ["absent:1"] });
  expectFailure(await layerwise("lock", "--offline", absent), { code: "USAGE", says: ["--check"] });
});
