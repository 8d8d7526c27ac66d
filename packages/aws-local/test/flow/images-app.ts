// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { App, Stack, Stage } from "aws-cdk-lib";
import { Repository } from "aws-cdk-lib/aws-codecommit";
import { CpuArchitecture, FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import { CodePipeline, CodePipelineSource, ShellStep } from "aws-cdk-lib/pipelines";
import type { Template } from "codebuild-local";
import { BaseImages, BuildSecret, ImageBuilds, ImagePlatform, ImageRepository, LayerwiseImage } from "layerwise-cdk";
import { hostPlatform } from "../../../lab/src/index.ts";

/** A pipeline that was synthesized. */
export interface ImagesApp {
  /** The root of the source. */
  readonly source: string;
  readonly assembly: string;
  readonly template: Template;
  /** The template of the stack that uses the images, as text. */
  readonly user: string;
  readonly secretTag: string;
  readonly platformsTag: string;
}

/** The repository of both images. */
export const repositoryName = "images";

/**
 * Synthesizes a pipeline with two images for Amazon ECS: one whose RUN reads a secret of Secrets Manager and one of
 * Parameter Store, and one for two platforms.
 */
export async function synthImages(
  folder: string,
  { base, multi }: { readonly base: string; readonly multi: string },
): Promise<ImagesApp> {
  const source = join(folder, "source");
  await write(join(source, "secret"), {
    Dockerfile: [
      `FROM ${base}`,
      "RUN --mount=type=secret,id=token --mount=type=secret,id=key \\",
      "    cat /run/secrets/token /run/secrets/key | busybox sha256sum > /proof",
    ].join("\n"),
  });
  await write(join(source, "platforms"), { Dockerfile: `FROM ${multi}\nCOPY app /app/\n`, app: "both\n" });
  const assembly = join(folder, "cdk.out");
  const app = new App({ outdir: assembly, context: { "layerwise:source-root": source }, analyticsReporting: false });
  const stack = new Stack(app, "Pipeline");
  const commits = CodePipelineSource.codeCommit(Repository.fromRepositoryName(stack, "Source", "images"), "main");
  const pipeline = new CodePipeline(stack, "Pipeline", {
    crossAccountKeys: true,
    synth: new ShellStep("Synth", { input: commits, commands: ["npx cdk synth"] }),
  });
  const stage = new Stage(stack, "Dev");
  const repository = new ImageRepository(new Stack(stage, "Repository"), "Images", { repositoryName });
  const user = new Stack(stage, "Service");
  const own = hostPlatform().architecture === "arm64" ? ImagePlatform.LINUX_ARM64 : ImagePlatform.LINUX_AMD64;
  const common = { repository, baseImages: BaseImages.unlocked() };
  const secret = new LayerwiseImage(user, "Secret", {
    ...common,
    directory: join(source, "secret"),
    platforms: [own],
    buildSecrets: {
      token: BuildSecret.secretsManager("app/token", { field: "value" }),
      key: BuildSecret.ssmParameter("/app/key"),
    },
  });
  const platforms = new LayerwiseImage(user, "Platforms", {
    ...common,
    directory: join(source, "platforms"),
    platforms: [ImagePlatform.LINUX_AMD64, ImagePlatform.LINUX_ARM64],
  });
  const cpuArchitecture = own === ImagePlatform.LINUX_ARM64 ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64;
  const task = new FargateTaskDefinition(user, "Task", { runtimePlatform: { cpuArchitecture } });
  task.addContainer("secret", { image: secret.toEcsImage() });
  task.addContainer("platforms", { image: platforms.toEcsImage() });
  const options = { source: commits, cloudAssembly: pipeline.cloudAssemblyFileSet };
  pipeline.addStage(stage, { stackSteps: ImageBuilds.stackSteps(stage, options) });
  pipeline.buildPipeline();
  const synthesized = app.synth();
  return {
    source,
    assembly,
    template: synthesized.getStackByName(stack.stackName).template as Template,
    user: JSON.stringify(
      synthesized.getNestedAssembly("assembly-Pipeline-Dev").getStackByName(user.stackName).template,
    ),
    secretTag: secret.imageTag,
    platformsTag: platforms.imageTag,
  };
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}
