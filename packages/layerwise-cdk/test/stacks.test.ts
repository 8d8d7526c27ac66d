// SPDX-License-Identifier: Apache-2.0
import { NestedStack, Stack, Stage } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { DockerImageFunction } from "aws-cdk-lib/aws-lambda";
import { ImageBuilds, ImageRepository, LayerwiseImage } from "layerwise-cdk";
import { expect, it } from "vitest";
import { makeApp, makePipeline } from "./app.ts";
import { makeContext } from "./context.ts";
import { refused } from "./refused.ts";

interface PipelineStage {
  readonly Name: string;
  readonly Actions: readonly { readonly Name: string; readonly RunOrder: number }[];
}

/** The actions of a stage with images and what runs them, in the order in which they run. */
function orderOf(fill: (stage: Stage, repository: ImageRepository) => void): readonly string[] {
  const stack = new Stack(makeApp(), "Pipeline");
  const { source, pipeline, cloudAssembly } = makePipeline(stack);
  const stage = new Stage(stack, "Dev");
  fill(stage, new ImageRepository(new Stack(stage, "Repository"), "Images", { repositoryName: "app" }));
  pipeline.addStage(stage, { stackSteps: ImageBuilds.stackSteps(stage, { source, cloudAssembly }) });
  pipeline.buildPipeline();
  const [resource] = Object.values(Template.fromStack(stack).findResources("AWS::CodePipeline::Pipeline"));
  const stages: readonly PipelineStage[] = resource?.["Properties"].Stages ?? [];
  const actions = stages.find(({ Name }) => Name === "Dev")?.Actions ?? [];
  return [...actions].sort((one, other) => one.RunOrder - other.RunOrder).map(({ Name }) => Name);
}

it("builds before the stack of the image, and deploys other stacks that run it after that one", () => {
  const order = orderOf((stage, repository) => {
    const [first, second] = [new Stack(stage, "Another"), new Stack(stage, "Own")];
    const image = new LayerwiseImage(second, "Image", { directory: makeContext(), repository });
    for (const stack of [first, second]) new DockerImageFunction(stack, "Function", { code: image.toLambdaCode() });
  });

  expect(order).toEqual([
    "Repository.Prepare",
    "Repository.Deploy",
    "Own.BuildImages",
    "Own.Prepare",
    "Own.Deploy",
    "Another.Prepare",
    "Another.Deploy",
  ]);
});

it("builds before the stack that a nested one is deployed with", () => {
  const order = orderOf((stage, repository) => {
    const nested = new NestedStack(new Stack(stage, "App"), "Nested");
    const image = new LayerwiseImage(nested, "Image", { directory: makeContext(), repository });
    new DockerImageFunction(nested, "Function", { code: image.toLambdaCode() });
  });

  expect(order.slice(2)).toEqual(["App.BuildImages", "App.Prepare", "App.Deploy"]);
});

it("refuses a repository in the stack that the image's nested stack is deployed with", () => {
  const stack = new Stack(makeApp(), "Both");
  const repository = new ImageRepository(stack, "Images", { repositoryName: "app" });
  const nested = new NestedStack(stack, "Nested");

  refused(() => new LayerwiseImage(nested, "Image", { directory: makeContext(), repository }), {
    why: "its repository is in the same stack, Both",
    fix: "move the repository into a stack of its own",
  });
});
