// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { CreateRepositoryCommand, ECRClient } from "@aws-sdk/client-ecr";
import { BaseImages } from "layerwise-cdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AwsLocal, startAwsLocal } from "../../aws-local/src/index.ts";
import { openRegistryImage, type Registry, startRegistry, treeBase, validateImage } from "../../lab/src/index.ts";
import { makeSharedFolder, writeFiles } from "./context.ts";
import { type Job, jobsOf, synthWorkflow } from "./github-app.ts";

let registry: Registry;
let aws: AwsLocal;
let jobs: Readonly<Record<string, Job>>;
const folder = makeSharedFolder();
const directory = join(folder, "image");

beforeAll(async () => {
  registry = await startRegistry();
  aws = await startAwsLocal({ registry });
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = aws.environment();
  const { endpoint, account, region } = aws;
  const ecr = new ECRClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  for (const repositoryName of ["tree", "app-dev", "app-prod"]) {
    await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  }
  await treeBase(aws.registryPlace);
  mkdirSync(join(folder, ".git"));
  writeFiles(directory, { Dockerfile: `FROM ${aws.registryHost()}/tree:1\nCOPY app /app/\n`, app: "1\n" });
  const image = { directory, baseImages: BaseImages.unlocked() };
  jobs = jobsOf(synthWorkflow(folder, { env: { account, region }, image }));
});
afterAll(async () => {
  await aws?.close();
  await registry?.stop();
});

/**
 * Runs a job as GitHub would: in a checkout of the source, with the assembly where the job asks for it. Gives the
 * outputs of its step.
 */
async function run(name: string): Promise<string> {
  const { steps = [], env = {} } = jobs[name] ?? {};
  const workspace = makeSharedFolder();
  cpSync(directory, join(workspace, "image"), { recursive: true });
  const download = steps.find(({ uses }) => uses?.startsWith("actions/download-artifact@"));
  cpSync(join(folder, "cdk.out"), join(workspace, String(download?.with?.["path"])), { recursive: true });
  const script = steps.flatMap((step) => step.run ?? []).join("\n");
  const GITHUB_OUTPUT = join(makeSharedFolder(), "output");
  const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`;
  await promisify(execFile)("bash", ["-e", "-o", "pipefail", "-c", script], {
    cwd: workspace,
    env: { ...aws.environment(), ...env, HOME: workspace, PATH, GITHUB_OUTPUT },
  });
  return readFileSync(GITHUB_OUTPUT, "utf8");
}

it("builds in a job of GitHub what the next stage's job copies", async () => {
  const built = await run("Dev-App-BuildImages");
  const copied = await run("Prod-App-PromoteImages");

  const [, digest = "", tag = ""] = /^LAYERWISE_DIGEST=(.+)\nLAYERWISE_TAG=(.+)$/m.exec(built) ?? [];
  expect(digest).toMatch(/^sha256:/);
  expect(built).toContain("LAYERWISE_ENGINE_USED=false\n");
  expect(copied).toContain(`LAYERWISE_DIGEST=${digest}\nLAYERWISE_TAG=${tag}\n`);
  for (const repository of ["app-dev", "app-prod"]) {
    const { name, auth } = aws.registryPlace;
    expect(await validateImage(await openRegistryImage(`${name}/${repository}:${tag}`, { auth }))).toEqual([]);
    expect(await validateImage(await openRegistryImage(`${name}/${repository}@${digest}`, { auth }))).toEqual([]);
  }
});
