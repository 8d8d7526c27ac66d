// SPDX-License-Identifier: Apache-2.0
import { type App, Stack } from "aws-cdk-lib";
import {
  type ContainerImage,
  CpuArchitecture,
  Ec2TaskDefinition,
  FargateTaskDefinition,
  type RuntimePlatform,
} from "aws-cdk-lib/aws-ecs";
import { Architecture, DockerImageFunction } from "aws-cdk-lib/aws-lambda";
import { ImagePlatform, ImageRepository, LayerwiseImage } from "layerwise-cdk";
import { expect, it } from "vitest";
import { makeApp } from "./app.ts";
import { makeContext } from "./context.ts";

const { LINUX_AMD64, LINUX_ARM64 } = ImagePlatform;

function imageIn(app: App, platforms: ImagePlatform[]) {
  const repository = new ImageRepository(new Stack(app, "Repository"), "Images", { repositoryName: "app" });
  const stack = new Stack(app, "App");
  return {
    repository,
    stack,
    image: new LayerwiseImage(stack, "Image", { directory: makeContext(), repository, platforms }),
  };
}

it.each([
  [LINUX_ARM64, undefined, "x86_64", "arm64"],
  [LINUX_ARM64, Architecture.X86_64, "x86_64", "arm64"],
  [LINUX_AMD64, Architecture.ARM_64, "arm64", "x86_64"],
])("refuses an image for $platform in a function on another processor", (platform, architecture, runs, has) => {
  const app = makeApp();
  const { stack, image } = imageIn(app, [platform]);
  new DockerImageFunction(stack, "Function", { code: image.toLambdaCode(), architecture });

  const synth = () => app.synth();

  expect(synth).toThrow(
    `could not run App/Image from App/Function/Resource: that runs on ${runs}, and the image is for ${has}`,
  );
  expect(synth).toThrow("hint: give the function architecture: Architecture.ARM_64 or X86_64");
});

it("takes an image in a function on its own processor", () => {
  const app = makeApp();
  const { stack, image } = imageIn(app, [LINUX_ARM64]);
  new DockerImageFunction(stack, "Function", { code: image.toLambdaCode(), architecture: Architecture.ARM_64 });

  expect(() => app.synth()).not.toThrow();
});

const arm: RuntimePlatform = { cpuArchitecture: CpuArchitecture.ARM64 };

it.each([
  ["no platform", LINUX_ARM64, undefined, "that runs on x86_64, and the image is for arm64"],
  ["another platform", LINUX_AMD64, arm, "that runs on arm64, and the image is for x86_64"],
])("refuses an image in a task of AWS Fargate with %s", (_, platform, runtimePlatform, why) => {
  const app = makeApp();
  const { stack, image } = imageIn(app, [platform]);
  new FargateTaskDefinition(stack, "Task", { runtimePlatform }).addContainer("app", { image: image.toEcsImage() });

  expect(() => app.synth()).toThrow(why);
});

it.each<[string, (stack: Stack, image: ContainerImage) => void, ImagePlatform[]]>([
  ["its own platform", (stack, image) => fargate(stack, image, arm), [LINUX_ARM64]],
  ["one of several platforms", (stack, image) => fargate(stack, image, arm), [LINUX_AMD64, LINUX_ARM64]],
  [
    "the instances' platform",
    (stack, image) => new Ec2TaskDefinition(stack, "Task").addContainer("app", { image, memoryLimitMiB: 64 }),
    [LINUX_ARM64],
  ],
])("takes an image in a task with %s", (_, use, platforms) => {
  const app = makeApp();
  const { stack, image } = imageIn(app, platforms);
  use(stack, image.toEcsImage());

  expect(() => app.synth()).not.toThrow();
});

function fargate(stack: Stack, image: ContainerImage, runtimePlatform: RuntimePlatform): void {
  new FargateTaskDefinition(stack, "Task", { runtimePlatform }).addContainer("app", { image });
}

it("refuses what runs an image from the stack of the image's repository", () => {
  const app = makeApp();
  const { repository, image } = imageIn(app, [LINUX_AMD64]);
  new DockerImageFunction(repository.stack, "Function", { code: image.toLambdaCode() });

  const synth = () => app.synth();

  expect(synth).toThrow(
    "could not run App/Image from Repository/Function/Resource: its repository is in the same stack",
  );
  expect(synth).toThrow("hint: move what runs the image, and the image, into a stack of their own");
});
