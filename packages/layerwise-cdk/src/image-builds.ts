// SPDX-License-Identifier: Apache-2.0
import type { Stack, Stage } from "aws-cdk-lib";
import type { StackSteps, Step } from "aws-cdk-lib/pipelines";
import { type ImageBuildOptions, ImageBuildStep, type ImageStepProps } from "./image-build-step";
import { ImagePromotionStep } from "./image-promotion-step";
import { LayerwiseImage } from "./layerwise-image";
import { consumersOf } from "./private/check-consumers";
import { deployAfter, deployedStack } from "./private/deployed-stack";
import { refusal } from "./private/refuse";

/** What `ImageBuilds.promotionSteps()` is told. */
export interface ImagePromotionOptions extends ImageStepProps {
  /** The stage that built the images, with the same constructs as the one they go to. */
  readonly from: Stage;
}

/** Puts the builds of images where they belong: between the stack of the repository and the stack that uses the image. */
export class ImageBuilds {
  /**
   * The steps that build the images of a stage, for `pipeline.addStage(stage, { stackSteps })`. The very first deployment
   * of a stage works too.
   */
  public static stackSteps(stage: Stage, options: ImageBuildOptions): StackSteps[] {
    return stepsOf(stage, (images) => new ImageBuildStep("BuildImages", { ...options, images }));
  }

  /**
   * The steps that copy the images of another stage into the repositories of this one: the same digests, without a
   * build.
   */
  public static promotionSteps(stage: Stage, options: ImagePromotionOptions): StackSteps[] {
    const { from, ...rest } = options;
    return stepsOf(stage, (images) => {
      const pairs = images.map((image) => ({ from: counterpart(image, { from, to: stage }), to: image }));
      return new ImagePromotionStep("PromoteImages", { ...rest, images: pairs });
    });
  }

  private constructor() {}
}

function stepsOf(stage: Stage, stepFor: (images: LayerwiseImage[]) => Step): StackSteps[] {
  const byStack = new Map<Stack, LayerwiseImage[]>();
  for (const construct of stage.node.findAll()) {
    if (!LayerwiseImage.isLayerwiseImage(construct)) continue;
    const stack = deployedStack(construct);
    deployConsumersAfter(stack, construct);
    byStack.set(stack, [...(byStack.get(stack) ?? []), construct]);
  }
  if (byStack.size === 0) {
    throw refusal({
      what: `build the images of the stage ${stage.node.path}`,
      why: "it has none",
      fix: "make a LayerwiseImage in the stack that uses it, before this call",
    });
  }
  return [...byStack].map(([stack, images]) => ({ stack, pre: [stepFor(images)] }));
}

/** The image is pushed before its own stack; other stacks that run it must come after that one. */
function deployConsumersAfter(stack: Stack, image: LayerwiseImage): void {
  for (const { resource } of consumersOf(image)) {
    const other = deployedStack(resource);
    if (other !== stack) deployAfter(other, stack, "the image that it runs is pushed before that stack is deployed");
  }
}

/** The image at the same place in another stage. */
function counterpart(image: LayerwiseImage, { from, to }: { from: Stage; to: Stage }): LayerwiseImage {
  const path = image.node.path.slice(to.node.path.length + 1);
  let found: unknown = from;
  for (const id of path.split("/")) found = (found as Stage | undefined)?.node.tryFindChild(id);
  if (LayerwiseImage.isLayerwiseImage(found)) return found;
  throw refusal({
    what: `promote ${image.node.path}`,
    why: `the stage ${from.node.path} has no image at ${path}`,
    fix: "make both stages of the same class, or build this image with ImageBuilds.stackSteps()",
  });
}
