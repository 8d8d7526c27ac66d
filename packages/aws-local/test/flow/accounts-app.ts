// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { App, type Environment, Stack, Stage } from "aws-cdk-lib";
import { Repository as Sources } from "aws-cdk-lib/aws-codecommit";
import { Repository } from "aws-cdk-lib/aws-ecr";
import { DockerImageFunction } from "aws-cdk-lib/aws-lambda";
import { CodePipeline, CodePipelineSource, ShellStep } from "aws-cdk-lib/pipelines";
import type { Construct } from "constructs";
import { BaseImages, ImageBuilds, ImagePublishRole, ImageRepository, LayerwiseImage } from "layerwise-cdk";

/** Where a stage is. */
export type Place = Required<Environment>;

/** An app that was synthesized. */
export interface AccountsApp {
  readonly source: string;
  readonly assembly: string;
  /** Files of templates in the assembly: of the pipeline, of the role, of the second stage's function. */
  readonly files: { readonly pipeline: string; readonly roles: string; readonly user: string };
  readonly imageTag: string;
}

/** What the publish role is called, and what whoever assumes it must know. */
export const publishRole = { roleName: "publish-orders", externalId: "orders" };

interface StageOptions {
  readonly env: Place;
  readonly directory: string;
  readonly role?: ImagePublishRole;
}

class FunctionStage extends Stage {
  readonly image: LayerwiseImage;

  constructor(scope: Construct, id: string, { env, directory, role }: StageOptions) {
    super(scope, id, { env });
    const repository = new ImageRepository(new Stack(this, "Repository"), "Images", {
      repositoryName: `orders-${id.toLowerCase()}`,
    });
    const stack = new Stack(this, "App");
    const baseImages = BaseImages.unlocked();
    this.image = new LayerwiseImage(stack, "Image", { directory, repository, baseImages, publishRole: role });
    new DockerImageFunction(stack, "Function", { code: this.image.toLambdaCode() });
  }
}

/** Synthesizes a pipeline whose second stage is in another account and Region, and gets a copy of the first one's image. */
export async function synthAccounts(
  folder: string,
  { base, from, to }: { readonly base: string; readonly from: Place; readonly to: Place },
): Promise<AccountsApp> {
  const source = join(folder, "source");
  const directory = join(source, "image");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "Dockerfile"), `FROM ${base}\nCOPY app /app/\n`);
  await writeFile(join(directory, "app"), "of both\n");
  const assembly = join(folder, "cdk.out");
  const app = new App({ outdir: assembly, context: { "layerwise:source-root": source }, analyticsReporting: false });
  const stack = new Stack(app, "Pipeline", { env: from });
  const commits = CodePipelineSource.codeCommit(Sources.fromRepositoryName(stack, "Source", "orders"), "main");
  const pipeline = new CodePipeline(stack, "Pipeline", {
    crossAccountKeys: true,
    synth: new ShellStep("Synth", { input: commits, commands: ["npx cdk synth"] }),
  });
  const roles = new Stack(app, "Roles", { env: to });
  const role = new ImagePublishRole(roles, "Publish", {
    ...publishRole,
    repositories: [Repository.fromRepositoryName(roles, "Images", "orders-prod")],
    trustedAccount: from.account,
  });
  const cloudAssembly = pipeline.cloudAssemblyFileSet;
  const dev = new FunctionStage(stack, "Dev", { env: from, directory });
  const prod = new FunctionStage(stack, "Prod", { env: to, directory, role });
  const pullFrom = [Repository.fromRepositoryName(stack, "Base", "tree")];
  pipeline.addStage(dev, {
    stackSteps: ImageBuilds.stackSteps(dev, { source: commits, cloudAssembly, pullFrom }),
  });
  pipeline.addStage(prod, { stackSteps: ImageBuilds.promotionSteps(prod, { from: dev, cloudAssembly }) });
  pipeline.buildPipeline();
  const synthesized = app.synth();
  const nested = synthesized.getNestedAssembly("assembly-Pipeline-Prod");
  return {
    source,
    assembly,
    files: {
      pipeline: synthesized.getStackByName("Pipeline").templateFullPath,
      roles: synthesized.getStackByName("Roles").templateFullPath,
      user: nested.getStackByName("Prod-App").templateFullPath,
    },
    imageTag: dev.image.imageTag,
  };
}
