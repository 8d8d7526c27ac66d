// SPDX-License-Identifier: Apache-2.0
import { BatchGetBuildsCommand, type Build, StartBuildCommand, StopBuildCommand } from "@aws-sdk/client-codebuild";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { awsValues, type Project } from "codebuild-local";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type AwsLocal, localProject, startAwsLocal } from "../src/index.ts";
import { clientsOf } from "./clients.ts";

const project: Project = {
  name: "app",
  buildspec: { path: "buildspec.yml" },
  variables: [{ name: "TOKEN", value: "npm", type: "SECRETS_MANAGER" }],
  compute: { kind: "ec2", privileged: true, image: "standard" },
  timeoutMinutes: 5,
  secondaryArtifacts: [],
};

let aws: AwsLocal;
let clients: ReturnType<typeof clientsOf>;

beforeAll(async () => {
  // No test here reaches a registry.
  aws = await startAwsLocal({ registry: { name: "127.0.0.1:1" } });
  clients = clientsOf(aws);
  for (const [name, value] of Object.entries(aws.environment())) vi.stubEnv(name, value);
  aws.secrets.set("npm", "hunter2");
  aws.parameters.set("/app/level", "verbose");
  const values = awsValues(aws.region);
  const machine = { PATH: process.env["PATH"] ?? "" };
  aws.addProject(localProject({ project, buckets: aws.buckets, machine, values }));
  await clients.s3.send(new CreateBucketCommand({ Bucket: "sources" }));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await aws?.close();
});

async function start(files: Readonly<Record<string, string>>): Promise<string> {
  const entries = Object.entries(files).map(([name, text]) => [name, Buffer.from(text)] as const);
  const Body = zipSync(Object.fromEntries(entries));
  await clients.s3.send(new PutObjectCommand({ Bucket: "sources", Key: "a/source.zip", Body }));
  const { build } = await clients.codebuild.send(
    new StartBuildCommand({
      projectName: "app",
      sourceTypeOverride: "S3",
      sourceLocationOverride: "sources/a/source.zip",
      environmentVariablesOverride: [{ name: "COMMIT", value: "abc" }],
    }),
  );
  return build?.id ?? "";
}

async function read(id: string): Promise<Build | undefined> {
  return (await clients.codebuild.send(new BatchGetBuildsCommand({ ids: [id] }))).builds?.[0];
}

it("a build runs the source that it is given in S3, and tells its phases and variables", async () => {
  const id = await start({
    "buildspec.yml": `
version: 0.2
env: { exported-variables: [RESULT], parameter-store: { LEVEL: /app/level } }
phases:
  build: { commands: ['echo "token $TOKEN, level $LEVEL"', 'test "$TOKEN $LEVEL" = "hunter2 verbose"', 'export RESULT="$(cat inner/file) $COMMIT"'] }
  post_build: { commands: [exit 3] }
`,
    "inner/file": "content",
  });

  await expect.poll(async () => (await read(id))?.buildComplete, { timeout: 60_000 }).toBe(true);

  const build = await read(id);
  expect(build).toMatchObject({
    buildStatus: "FAILED",
    exportedEnvironmentVariables: [{ name: "RESULT", value: "content abc" }],
  });
  expect(build?.phases?.map(({ phaseType, phaseStatus }) => `${phaseType} ${phaseStatus}`)).toEqual([
    "DOWNLOAD_SOURCE SUCCEEDED",
    "BUILD SUCCEEDED",
    "POST_BUILD FAILED",
    "UPLOAD_ARTIFACTS SUCCEEDED",
  ]);
  expect(build?.phases?.[2]?.contexts?.[0]?.message).toBe(
    "Error while executing command: exit 3. Reason: exit status 3",
  );
  expect(aws.buildLog(id)).toContain("\ntoken ***, level ***\n");
});

it("a build that is stopped ends what it runs", async () => {
  const id = await start({
    "buildspec.yml": "version: 0.2\nphases: { build: { commands: [echo ready && sleep 600] } }",
  });
  await expect.poll(() => aws.buildLog(id), { timeout: 60_000 }).toContain("\nready\n");

  const { build } = await clients.codebuild.send(new StopBuildCommand({ id }));

  expect(build?.buildStatus).toBe("STOPPED");
});
