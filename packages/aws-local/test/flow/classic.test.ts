// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BatchGetImageCommand, CreateRepositoryCommand } from "@aws-sdk/client-ecr";
import { App, Stack, Stage } from "aws-cdk-lib";
import { Repository } from "aws-cdk-lib/aws-codecommit";
import { DockerImageFunction } from "aws-cdk-lib/aws-lambda";
import { CodePipeline, CodePipelineSource, ShellStep } from "aws-cdk-lib/pipelines";
import { buildActionsIn, type Template } from "codebuild-local";
import { BaseImages, ClassicImageBuildStep, ImageRepository, ImageTag, LayerwiseImage } from "layerwise-cdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Engine, tinyBase } from "../../../lab/src/index.ts";
import type { AwsLocal } from "../../src/index.ts";
import { type EngineSite, openEngineSite } from "./flow-site.ts";
import { runAction } from "./local-pipeline.ts";
import { keysOf } from "./role-of.ts";

const repositoryName = "orders";

let site: EngineSite;
let work: string;
let aws: AwsLocal;
let engine: Engine;

beforeAll(async () => {
  // This store would add attestations by itself.
  site = await openEngineSite("classic", "containerd");
  ({ work, aws, engine } = site);
  const { ecr } = site.clients;
  for (const name of ["tiny", repositoryName]) await ecr.send(new CreateRepositoryCommand({ repositoryName: name }));
  await tinyBase(aws.registryPlace);
  await writeAwsProgram();
});
afterAll(async () => await site?.close());

/** The one command of AWS's program that the recipe calls; CodeBuild's images have that program. */
async function writeAwsProgram(): Promise<void> {
  const sdk = fileURLToPath(new URL("../../../../node_modules/@aws-sdk/client-ecr/dist-cjs/index.js", import.meta.url));
  const program = `#!${process.execPath}
const { ECRClient, GetAuthorizationTokenCommand } = require(${JSON.stringify(sdk)});
const [service, verb, flag, region] = process.argv.slice(2);
if (service !== "ecr" || verb !== "get-login-password" || flag !== "--region") process.exit(252);
new ECRClient({ region }).send(new GetAuthorizationTokenCommand({})).then(({ authorizationData: [{ authorizationToken }] }) =>
  console.log(Buffer.from(authorizationToken, "base64").toString("utf8").slice("AWS:".length)),
);
`;
  await mkdir(join(work, "bin"));
  await writeFile(join(work, "bin/aws"), program, { mode: 0o755 });
}

/** Synthesizes a pipeline with the usual recipe, for a commit. */
async function synth(commit: string, content: string) {
  const source = join(work, "source");
  await mkdir(join(source, "image"), { recursive: true });
  const base = `${aws.registryHost()}/tiny:1`;
  await writeFile(join(source, "image/Dockerfile"), `FROM ${base}\nRUN echo packages > /packages\nCOPY app /app\n`);
  await writeFile(join(source, "image/app"), content);
  const context = { "layerwise:source-root": source };
  const app = new App({ outdir: join(work, commit), context, analyticsReporting: false });
  const stack = new Stack(app, "Pipeline");
  const commits = CodePipelineSource.codeCommit(Repository.fromRepositoryName(stack, "Source", "orders"), "main");
  const pipeline = new CodePipeline(stack, "Pipeline", {
    synth: new ShellStep("Synth", { input: commits, commands: ["npx cdk synth"] }),
  });
  const stage = new Stage(stack, "Dev");
  const floatingTags = ["latest"];
  const repository = new ImageRepository(new Stack(stage, "Repository"), "Images", { repositoryName, floatingTags });
  const user = new Stack(stage, "App");
  const image = new LayerwiseImage(user, "Image", {
    ...{ directory: join(source, "image"), repository, floatingTags, baseImages: BaseImages.unlocked() },
    tag: ImageTag.commit(commit),
  });
  new DockerImageFunction(user, "Function", { code: image.toLambdaCode() });
  const cloudAssembly = pipeline.cloudAssemblyFileSet;
  const step = new ClassicImageBuildStep("Build", { image, source: commits, cloudAssembly });
  pipeline.addStage(stage, { stackSteps: [{ stack: user, pre: [step] }] });
  pipeline.buildPipeline();
  const synthesized = app.synth();
  return { source, assembly: app.outdir, template: synthesized.getStackByName("Pipeline").template as Template };
}

async function deploy(commit: string, content: string) {
  const { source, assembly, template } = await synth(commit, content);
  const given = { ...keysOf(template, aws) };
  const values = { account: aws.account, region: aws.region, given };
  const action = buildActionsIn(template, values).find(({ name }) => name.endsWith(".Build"));
  const PATH = `${join(work, "bin")}:${engine.shim}:${dirname(process.execPath)}:/usr/bin:/bin:/usr/sbin:/sbin`;
  const machine = () => ({ ...aws.environment(), PATH });
  const options = { aws, clients: site.clients, source, assembly, template, given, machine, scratch: work };
  const { result, log } = await runAction(`${action?.stage}.${action?.name}`, { options, values });
  expect(result.status, log).toBe("SUCCEEDED");
  return { template, told: result.exportedVariables };
}

async function imageAt(imageTag: string) {
  const request = new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag }] });
  const [{ imageId, imageManifest = "{}" } = {}] = (await site.clients.ecr.send(request)).images ?? [];
  return { digest: imageId?.imageDigest, manifest: JSON.parse(imageManifest) as { layers?: { digest: string }[] } };
}

it("runs the usual recipe as it is synthesized: two tags for each commit, and one image without attestations", async () => {
  const [first, second] = ["1", "2"].map((digit) => digit.repeat(40)) as [string, string];

  const before = await deploy(first, "one\n");
  const after = await deploy(second, "two\n");

  expect(before.told).toEqual({ LAYERWISE_TAG: first });
  expect(after.told).toEqual({ LAYERWISE_TAG: second });
  const [one, two, latest] = await Promise.all([first, second, "latest"].map(imageAt));
  expect(latest?.digest).toBe(two?.digest);
  expect(one?.digest).not.toBe(two?.digest);
  // No index: four layers of the base, and two. What the commit left alone was taken from the image before.
  expect(two?.manifest.layers).toHaveLength(6);
  expect(two?.manifest.layers?.slice(0, -1)).toEqual(one?.manifest.layers?.slice(0, -1));
  expect(after.template).toEqual(before.template);
});
