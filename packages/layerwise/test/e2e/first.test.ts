// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import { openSite } from "./site.ts";

const site = await openSite({ generation: 28, store: "classic" });
afterAll(async () => await site.close());

it("builds, assembles, reuses", async () => {
  const base = await tinyBase(site.registry);
  const folder = await site.folder("app");
  await writeFile(join(folder, "Dockerfile"), `FROM ${base}\nCOPY a /a\nRUN echo hi > /hi\nCOPY . /x/\nCMD ["x"]\n`);
  await writeFile(join(folder, "a"), "1");
  const ref = `${site.registry.name}/app:1`;
  const one = await site.build(["-t", ref, folder]);
  expect(one.report.route).toBe("engine");
  await writeFile(join(folder, "b"), "2");
  const two = await site.build(["-t", ref, folder]);
  expect(two.report.route).toBe("assemble");
  expect(await site.flaws(ref)).toEqual([]);
  await site.engineBuild([folder], `${site.registry.name}/truth:1`);
  expect(await site.differences(ref, `${site.registry.name}/truth:1`)).toEqual([]);
});
