// SPDX-License-Identifier: Apache-2.0
import { Stack, Stage } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { DockerImageFunction } from "aws-cdk-lib/aws-lambda";
import { ImageBuildStep, ImageRepository, LayerwiseImage } from "layerwise-cdk";
import { expect, it } from "vitest";
import { makeApp, makePipeline } from "./app.ts";
import { makeContext } from "./context.ts";

interface PipelineStage {
  readonly Name: string;
  readonly Actions: readonly { readonly Name: string; readonly RunOrder: number }[];
}

it("builds before a wave, from a repository that a wave before has deployed", () => {
  const stack = new Stack(makeApp(), "Pipeline");
  const { source, pipeline, cloudAssembly } = makePipeline(stack);
  const first = new Stage(stack, "Registry");
  const repository = new ImageRepository(new Stack(first, "Repository"), "Images", { repositoryName: "app" });
  const second = new Stage(stack, "Service");
  const user = new Stack(second, "App");
  const image = new LayerwiseImage(user, "Image", { directory: makeContext(), repository });
  new DockerImageFunction(user, "Function", { code: image.toLambdaCode() });

  pipeline.addWave("Registries").addStage(first);
  const wave = pipeline.addWave("Services");
  wave.addPre(new ImageBuildStep("BuildImage", { images: [image], source, cloudAssembly }));
  wave.addStage(second);
  pipeline.buildPipeline();

  const [resource] = Object.values(Template.fromStack(stack).findResources("AWS::CodePipeline::Pipeline"));
  const stages: readonly PipelineStage[] = resource?.["Properties"].Stages ?? [];
  const order = stages.map(({ Name, Actions }) => [
    Name,
    ...[...Actions].sort((one, other) => one.RunOrder - other.RunOrder).map((action) => action.Name),
  ]);
  expect(order.slice(-2)).toEqual([
    ["Registry", "Prepare", "Deploy"],
    ["Service", "BuildImage", "App.Prepare", "App.Deploy"],
  ]);
  Template.fromStack(repository.stack).hasResourceProperties("AWS::ECR::Repository", {
    RepositoryPolicyText: { Statement: [{ Principal: { Service: "lambda.amazonaws.com" } }] },
  });
});
