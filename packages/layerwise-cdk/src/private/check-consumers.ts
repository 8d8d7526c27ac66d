// SPDX-License-Identifier: Apache-2.0
import { CfnResource, Resource, Stack, Stage } from "aws-cdk-lib";
import type { IRepository } from "aws-cdk-lib/aws-ecr";
import type { CfnTaskDefinition } from "aws-cdk-lib/aws-ecs";
import type { CfnFunction } from "aws-cdk-lib/aws-lambda";
import type { IConstruct } from "constructs";
import type { LayerwiseImage } from "../layerwise-image";
import { deployedStack } from "./deployed-stack";
import { type Refusal, refusal } from "./refuse";

/** A resource that runs the image. */
export interface Consumer {
  readonly resource: CfnResource;
  /** The processor that it runs on, as AWS names it; undefined where that is decided elsewhere. */
  readonly architecture: string | undefined;
  /** How to name another one. */
  readonly fix: string;
}

/** What is wrong with the functions and tasks that use an image, as sentences. They are complete at synth only. */
export function checkConsumers(image: LayerwiseImage, repository: IRepository): string[] {
  return consumersOf(image).flatMap((consumer) =>
    [wrongStack(consumer, { image, repository }), wrongArchitecture(consumer, image)].flatMap((found) =>
      found === undefined ? [] : [refusal(found).message],
    ),
  );
}

/** The image is pushed before the stack that the image is in; a stack that holds the repository is deployed before. */
function wrongStack(
  { resource }: Consumer,
  { image, repository }: { readonly image: LayerwiseImage; readonly repository: IRepository },
): Refusal | undefined {
  const stack = deployedStack(resource);
  if (!Resource.isOwnedResource(repository) || deployedStack(repository) !== stack) return undefined;
  return {
    what: `run ${image.node.path} from ${resource.node.path}`,
    why: `its repository is in the same stack, ${stack.stackName}, so nothing can be pushed before the stack is deployed`,
    fix: "move what runs the image, and the image, into a stack of their own",
  };
}

function wrongArchitecture({ resource, architecture, fix }: Consumer, image: LayerwiseImage): Refusal | undefined {
  if (architecture === undefined) return undefined;
  const has = image.platforms.map((platform) => platform.architecture);
  if (has.includes(architecture)) return undefined;
  return {
    what: `run ${image.node.path} from ${resource.node.path}`,
    why: `that runs on ${architecture}, and the image is for ${has.join(" and ")}`,
    fix: `${fix}, or give the image other platforms`,
  };
}

/** The functions and tasks of the image's stage that run it, as far as they are there. */
export function consumersOf(image: LayerwiseImage): readonly Consumer[] {
  const uri = resolved(image, image.imageUri);
  const all = Stage.of(image)?.node.findAll() ?? [];
  return all.flatMap((construct) => {
    const consumer = CfnResource.isCfnResource(construct) ? consumerOf(construct, uri) : undefined;
    return consumer === undefined ? [] : [consumer];
  });
}

function consumerOf(resource: CfnResource, uri: string): Consumer | undefined {
  if (resource.cfnResourceType === "AWS::Lambda::Function") {
    const { code, architectures } = resource as CfnFunction;
    if (!resolved(resource, code).includes(uri)) return undefined;
    const [architecture = "x86_64"] = architectures ?? [];
    return { resource, architecture, fix: "give the function architecture: Architecture.ARM_64 or X86_64" };
  }
  if (resource.cfnResourceType === "AWS::ECS::TaskDefinition") {
    const task = resource as CfnTaskDefinition;
    if (!resolved(resource, task.containerDefinitions).includes(uri)) return undefined;
    const fix = "give the task's runtimePlatform the cpuArchitecture of the image";
    return { resource, architecture: architectureOf(task), fix };
  }
  return undefined;
}

/** Without a word AWS Fargate takes X86_64; elsewhere it is that of the instances. */
function architectureOf(task: CfnTaskDefinition): string | undefined {
  const platform = Stack.of(task).resolve(task.runtimePlatform) as { cpuArchitecture?: unknown } | undefined;
  const isFargate = task.requiresCompatibilities?.join() === "FARGATE";
  const given = platform?.cpuArchitecture ?? (isFargate ? "X86_64" : undefined);
  return typeof given === "string" ? given.toLowerCase() : undefined;
}

function resolved(scope: IConstruct, value: unknown): string {
  return JSON.stringify(Stack.of(scope).resolve(value) ?? null);
}
