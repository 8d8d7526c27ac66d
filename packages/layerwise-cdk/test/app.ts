// SPDX-License-Identifier: Apache-2.0
import { App, type AppProps, Stack, Stage, type StageProps } from "aws-cdk-lib";
import { Repository } from "aws-cdk-lib/aws-codecommit";
import { Architecture, DockerImageFunction } from "aws-cdk-lib/aws-lambda";
import { CodePipeline, CodePipelineSource, ShellStep } from "aws-cdk-lib/pipelines";
import type { Construct } from "constructs";
import {
  type ImageBuildOptions,
  ImageBuilds,
  ImagePlatform,
  ImageRepository,
  LayerwiseImage,
  type LayerwiseImageProps,
} from "layerwise-cdk";
import { makeFolder } from "./context.ts";

/** What an image of a test is given besides its repository. */
export type ImageProps = Omit<LayerwiseImageProps, "repository">;

/** An app that is synthesized into a folder of its own. */
export function makeApp(props: AppProps = {}): App {
  return new App({ outdir: makeFolder(), ...props });
}

/** A stage with a repository and, in another stack, an image and a function. */
export class FunctionStage extends Stage {
  readonly image: LayerwiseImage;
  readonly repository: ImageRepository;

  constructor(scope: Construct, id: string, { image, ...props }: StageProps & { readonly image: ImageProps }) {
    super(scope, id, props);
    const repositoryName = `app-${id.toLowerCase()}`;
    const floatingTags = image.floatingTags ?? [];
    this.repository = new ImageRepository(new Stack(this, "Repository"), "Images", { repositoryName, floatingTags });
    const stack = new Stack(this, "App");
    this.image = new LayerwiseImage(stack, "Image", { repository: this.repository, ...image });
    const isArm = this.image.platforms.includes(ImagePlatform.LINUX_ARM64);
    const architecture = isArm ? Architecture.ARM_64 : undefined;
    new DockerImageFunction(stack, "Function", { code: this.image.toLambdaCode(), architecture });
  }
}

/** A pipeline whose source and synth are as in every other. */
export function makePipeline(scope: Construct) {
  const source = CodePipelineSource.codeCommit(Repository.fromRepositoryName(scope, "Source", "app"), "main");
  const pipeline = new CodePipeline(scope, "Pipeline", {
    crossAccountKeys: true,
    synth: new ShellStep("Synth", { input: source, commands: ["npx cdk synth"] }),
  });
  return { source, pipeline, cloudAssembly: pipeline.cloudAssemblyFileSet };
}

/** A pipeline with one stage, up to the point at which it could be synthesized. */
export function pipelineStack(
  app: App,
  { image, build = {}, region }: { image: ImageProps; build?: Partial<ImageBuildOptions>; region?: string },
): Stack {
  const stack = new Stack(app, "Pipeline", region === undefined ? {} : { env: { account: "111111111111", region } });
  const { source, pipeline, cloudAssembly } = makePipeline(stack);
  const stage = new FunctionStage(stack, "Dev", { image });
  pipeline.addStage(stage, { stackSteps: ImageBuilds.stackSteps(stage, { source, cloudAssembly, ...build }) });
  pipeline.buildPipeline();
  return stack;
}
