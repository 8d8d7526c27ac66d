// SPDX-License-Identifier: Apache-2.0
import { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import {
  ComputeType,
  EnvironmentType,
  Fleet,
  FleetComputeType,
  type IBuildImage,
  LinuxArmBuildImage,
  LinuxBuildImage,
  LinuxLambdaBuildImage,
  WindowsBuildImage,
} from "aws-cdk-lib/aws-codebuild";
import { BuildCompute, ClassicImageBuildStep, EngineFallback, ImagePlatform, ImageTag } from "layerwise-cdk";
import { expect, it } from "vitest";
import { FunctionStage, makeApp, makePipeline, pipelineStack } from "./app.ts";
import { makeContext } from "./context.ts";
import { refused } from "./refused.ts";

const { LINUX_ARM64 } = ImagePlatform;

it("refuses machines that cannot do what is asked", () => {
  const image = { directory: makeContext() };
  const engine = BuildCompute.ec2({ privileged: true });

  refused(() => BuildCompute.dockerServer({ architecture: LINUX_ARM64 }), { why: "x86 only", fix: "BuildCompute.ec2" });
  refused(() => pipelineStack(makeApp(), { image, region: "eu-north-1" }), {
    why: "CodeBuild does not have it there",
    fix: "compute: BuildCompute.ec2()",
  });
  refused(
    () => pipelineStack(makeApp(), { image, build: { compute: engine, engineFallback: EngineFallback.none() } }),
    {
      why: "has an engine of its own",
      fix: "leave engineFallback out",
    },
  );
  refused(
    () => pipelineStack(makeApp(), { image: { ...image, platforms: [LINUX_ARM64] }, build: { compute: engine } }),
    { why: "the engine of the step BuildImages is on linux/amd64", fix: "give the compute the architecture" },
  );
});

it.each<[string, IBuildImage, ImagePlatform | undefined, string, string]>([
  ["Arm on x86", LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0, undefined, "ARM_CONTAINER", "LINUX_ARM64"],
  ["x86 on Arm", LinuxBuildImage.STANDARD_7_0, LINUX_ARM64, "LINUX_CONTAINER", "for Arm a LinuxArmBuildImage"],
  ["AWS Lambda", LinuxLambdaBuildImage.AMAZON_LINUX_2023_NODE_22, undefined, "LINUX_LAMBDA", "leave buildImage out"],
  ["Windows", WindowsBuildImage.WIN_SERVER_CORE_2019_BASE_3_0, undefined, "WINDOWS_SERVER_2019", "a LinuxBuildImage"],
])("refuses an image of CodeBuild's for another machine: %s", (_, buildImage, architecture, type, fix) => {
  refused(() => BuildCompute.ec2({ buildImage, architecture }), { why: `for machines of the type ${type}`, fix });
});

it.each([
  LinuxBuildImage.STANDARD_6_0,
  LinuxBuildImage.AMAZON_LINUX_2_4,
  LinuxArmBuildImage.AMAZON_LINUX_2_STANDARD_2_0,
])("refuses an image of CodeBuild's without a current Node.js: $imageId", (buildImage) => {
  const architecture = buildImage.type === "ARM_CONTAINER" ? LINUX_ARM64 : undefined;
  const compute = BuildCompute.ec2({ buildImage, architecture });

  refused(() => pipelineStack(makeApp(), { image: { directory: makeContext() }, build: { compute } }), {
    why: "it has no Node.js 22",
    fix: "LinuxBuildImage.STANDARD_7_0",
  });
});

it("refuses sizes of AWS Lambda for EC2", () => {
  const size = ComputeType.LAMBDA_2GB;

  for (const make of [() => BuildCompute.ec2({ size }), () => BuildCompute.dockerServer({ size })]) {
    refused(make, { why: "BUILD_LAMBDA_2GB is a size of AWS Lambda", fix: "or use BuildCompute.lambda({ memory })" });
  }
});

it.each([
  [EnvironmentType.ARM_CONTAINER, "give architecture: ImagePlatform.LINUX_ARM64"],
  [EnvironmentType.WINDOWS_SERVER_2022_CONTAINER, "give the fleet EnvironmentType.LINUX_CONTAINER"],
])("refuses a fleet of %s for x86", (environmentType, fix) => {
  const stack = new Stack(makeApp(), "Shared");
  const fleet = new Fleet(stack, "Fleet", { baseCapacity: 1, computeType: FleetComputeType.MEDIUM, environmentType });

  refused(() => BuildCompute.fleet(fleet), { why: `of the type ${environmentType}`, fix });
});

it("takes a fleet that was made elsewhere at its word", () => {
  const arn = "arn:aws:codebuild:eu-west-1:111111111111:fleet/arm:1";
  const fleet = Fleet.fromFleetArn(new Stack(makeApp(), "Shared"), "Fleet", arn);

  expect(() => BuildCompute.fleet(fleet, { architecture: LINUX_ARM64 })).not.toThrow();
});

it.each([
  ["x86", undefined, LinuxBuildImage.STANDARD_6_0, "LINUX_CONTAINER", "aws/codebuild/standard:6.0"],
  ["Arm", [LINUX_ARM64], undefined, "ARM_CONTAINER", "aws/codebuild/amazonlinux-aarch64-standard:3.0"],
])(
  "runs the usual recipe on the platform of the image, and asks for no Node.js: %s",
  (_, platforms, buildImage, ...expected) => {
    const stack = new Stack(makeApp(), "Pipeline");
    const { source, pipeline, cloudAssembly } = makePipeline(stack);
    const image = {
      directory: makeContext(),
      platforms,
      tag: ImageTag.commit("1".repeat(40)),
      floatingTags: ["latest"],
    };
    const stage = new FunctionStage(stack, "Dev", { image });
    const step = new ClassicImageBuildStep("Build", { image: stage.image, source, cloudAssembly, buildImage });
    pipeline.addWave("First", { pre: [step] });
    pipeline.buildPipeline();

    const projects = Object.values(Template.fromStack(stack).findResources("AWS::CodeBuild::Project"));

    const [project] = projects.filter(({ Properties }) => /inline cache$/.test(Properties.Description ?? ""));
    const { Environment, Source } = project?.["Properties"] ?? {};
    expect([Environment.Type, Environment.Image]).toEqual(expected);
    expect(Object.keys(JSON.parse(Source.BuildSpec).phases)).toEqual(["build"]);
  },
);
