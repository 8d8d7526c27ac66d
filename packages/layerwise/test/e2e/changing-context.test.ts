// SPDX-License-Identifier: Apache-2.0
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import { expectFailure } from "./expect-failure.ts";
import { fetchTags } from "./registry-documents.ts";
import { type Outcome, openSite, type Started } from "./site.ts";

const site = await openSite({ generation: 28, store: "classic" });
afterAll(async () => await site.close());
const base = await tinyBase(site.registry);

/** Bytes that take a while to read. */
const large = 64 * 1024 * 1024;

it.each([
  ["while it is read", "COPY big /big\n", undefined],
  ["after the plan was made, while the engine builds", "COPY big /big\nRUN sync\n", /^engine +Docker/m],
])("publishes nothing with a file that grows %s", async (name, instructions, from) => {
  const repository = from === undefined ? "grows-read" : "grows-engine";
  const folder = await site.context(repository, { Dockerfile: `FROM ${base}\n${instructions}` });
  await writeFile(join(folder, "big"), Buffer.alloc(large, name));
  const started = site.start(buildOf(repository, folder));
  if (from !== undefined) await started.line(from);

  const outcome = await growUntilEnd(join(folder, "big"), started);

  expectFailure(outcome, { code: "CONTEXT_CHANGED", says: ["big", "changed during the build", "ignore file"] });
  expect(await site.tags(repository)).toEqual([]);
  expect(await checkpointsOf(repository)).toEqual([]);
});

it("builds with a file that grows where nothing reads it", async () => {
  const text = `FROM ${base}\nCOPY src /src\nRUN sync\n`;
  const folder = await site.context("grows-elsewhere", { Dockerfile: text, "src/a": "1", ".dockerignore": "**/*.log" });
  const started = site.start(buildOf("grows-elsewhere", folder));

  const outcome = await growUntilEnd(join(folder, "src/build.log"), started);

  expect(outcome).toMatchObject({ exitCode: 0 });
  expect(await site.tags("grows-elsewhere")).toEqual(["1"]);
});

function buildOf(repository: string, folder: string): readonly string[] {
  const { name } = site.registry;
  return ["build", "--push", "--insecure-registry", name, "--tag", `${name}/${repository}:1`, folder];
}

async function growUntilEnd(path: string, { ended }: Started): Promise<Outcome> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  ended.then(over, over);
  while (!isOver) await appendFile(path, "more\n");
  return await ended;
}

async function checkpointsOf(repository: string): Promise<readonly string[]> {
  return (await fetchTags(site, repository)).filter((tag) => /^lwcache-[0-9a-f]{40}$/.test(tag));
}
