// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRepositoryCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, it } from "vitest";
import { treeBase } from "../../lab/src/index.ts";
import { clientsOf } from "./clients.ts";
import { type Cloud, startCloud } from "./cloud.ts";

const bundle = new URL("../../layerwise/dist/bundle/layerwise.js", import.meta.url).pathname;

let cloud: Cloud;
let folder: string;

beforeAll(async () => {
  cloud = await startCloud();
  folder = await mkdtemp(join(tmpdir(), "aws-local-test-"));
  const { ecr } = clientsOf(cloud.aws);
  await ecr.send(new CreateRepositoryCommand({ repositoryName: "base" }));
  await ecr.send(
    new CreateRepositoryCommand({
      repositoryName: "team/app",
      imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
      imageTagMutabilityExclusionFilters: ["lwcache-*", "latest"].map((filter) => ({ filterType: "WILDCARD", filter })),
    }),
  );
  await treeBase(cloud.aws.registryPlace, { repository: "base" });
});
afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
});

async function build(content: string, tag: string): Promise<{ code: number | null; said: string }> {
  const host = cloud.aws.registryHost();
  const context = join(folder, "context");
  await mkdir(context, { recursive: true });
  await writeFile(join(context, "Dockerfile"), `FROM ${host}/base:1\nCOPY app.txt /app/\n`);
  await writeFile(join(context, "app.txt"), content);
  const tags = [`${host}/team/app:${tag}`, `${host}/team/app:latest`].flatMap((one) => ["-t", one]);
  const env = { ...cloud.aws.environment(), PATH: join(folder, "nothing"), HOME: folder, TMPDIR: folder };
  const child = spawn(process.execPath, [bundle, "build", "--push", ...tags, context], { env });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said };
}

it("layerwise builds and pushes with AWS's credentials alone, under the registry's name at AWS", async () => {
  const first = await build("one", "1");
  const again = await build("one", "1");
  const second = await build("two", "2");
  const overwritten = await build("three", "1");

  expect(first).toMatchObject({ code: 0, said: expect.stringContaining("assemble") });
  expect(again).toMatchObject({ code: 0, said: expect.stringContaining("reuse") });
  expect(second).toMatchObject({ code: 0, said: expect.stringContaining("assemble") });
  expect(overwritten.code).not.toBe(0);
  expect(overwritten.said).toContain("cannot be overwritten because the tag is immutable");
  const { aws } = cloud;
  expect(aws.registryCalls.some(({ host }) => host === aws.registryHost())).toBe(true);
  expect(aws.calls.filter(({ operation }) => operation === "GetAuthorizationToken").length).toBeGreaterThanOrEqual(4);
  expect(aws.calls.every(({ service, status }) => service === "ecr" && status === 200)).toBe(true);
});
