// SPDX-License-Identifier: Apache-2.0
import { Token } from "aws-cdk-lib";
import { Fleet, type IBuildImage, type IFleet } from "aws-cdk-lib/aws-codebuild";
import { ImagePlatform } from "../image-platform";
import { refusal } from "./refuse";

/** Types of machines that run containers of a platform, as AWS CodeBuild names them. */
const machineTypes: ReadonlyMap<ImagePlatform, readonly string[]> = new Map([
  [ImagePlatform.LINUX_AMD64, ["LINUX_CONTAINER", "LINUX_GPU_CONTAINER"]],
  [ImagePlatform.LINUX_ARM64, ["ARM_CONTAINER"]],
]);

/**
 * CodeBuild's images whose newest Node.js is older than 22. Their runtimes:
 * https://github.com/aws/aws-codebuild-docker-images
 */
const withoutNode =
  /^aws\/codebuild\/(?:standard:[1-6]|amazonlinux2-x86_64-standard:[1-4]|amazonlinux2?-aarch64-standard:[12])\.\d/;

/** An image of CodeBuild's is for machines of one type. */
export function checkBuildImage({ imageId, type }: IBuildImage, architecture: ImagePlatform): void {
  if (machineTypes.get(architecture)?.includes(type) === true) return;
  throw refusal({
    what: `build on ${Token.isUnresolved(imageId) ? "this buildImage" : imageId}`,
    why: `it is for machines of the type ${type}, and this compute is ${architecture.platform}`,
    fix:
      type === "ARM_CONTAINER"
        ? "give architecture: ImagePlatform.LINUX_ARM64"
        : "leave buildImage out, or give a LinuxBuildImage, for Arm a LinuxArmBuildImage",
  });
}

/** Sizes have one enumeration for machines of both kinds. */
export function checkSize(size: string): void {
  if (!size.startsWith("BUILD_LAMBDA_")) return;
  throw refusal({
    what: "build on Amazon EC2",
    why: `${size} is a size of AWS Lambda`,
    fix: "give ComputeType.SMALL or larger, or use BuildCompute.lambda({ memory })",
  });
}

/** The type of a fleet that was made elsewhere is not known. */
export function checkFleet(fleet: IFleet, architecture: ImagePlatform): void {
  if (!(fleet instanceof Fleet) || machineTypes.get(architecture)?.includes(fleet.environmentType) === true) return;
  throw refusal({
    what: `build on the fleet ${fleet.node.path}`,
    why: `its machines are of the type ${fleet.environmentType}, and this compute is ${architecture.platform}`,
    fix:
      fleet.environmentType === "ARM_CONTAINER"
        ? "give architecture: ImagePlatform.LINUX_ARM64"
        : "give the fleet EnvironmentType.LINUX_CONTAINER or ARM_CONTAINER, and the compute the same architecture",
  });
}

/** What a build runs needs Node.js 22. */
export function checkNode({ imageId }: IBuildImage): void {
  if (Token.isUnresolved(imageId) || !withoutNode.test(imageId)) return;
  throw refusal({
    what: `build on ${imageId}`,
    why: "it has no Node.js 22, which the build runs on",
    fix: "leave buildImage out, or give LinuxBuildImage.STANDARD_7_0, AMAZON_LINUX_2023_5 or later",
  });
}
