// SPDX-License-Identifier: Apache-2.0
import { Resource, Stage } from "aws-cdk-lib";
import type { IRepository } from "aws-cdk-lib/aws-ecr";
import type { Construct } from "constructs";
import { deployAfter, deployedStack } from "./deployed-stack";
import { refusal } from "./refuse";

/**
 * A repository must be there before the image, and the image before what uses it: that takes two stacks.
 *
 * Stacks of two stages cannot depend on each other; there the pipeline's order of stages is what decides.
 */
export function checkRepository(repository: IRepository, image: Construct): void {
  if (!Resource.isOwnedResource(repository)) return;
  const [stack, other] = [deployedStack(image), deployedStack(repository)];
  if (stack === other) {
    throw refusal({
      what: `build ${image.node.path}`,
      why: `its repository is in the same stack, ${stack.stackName}, so nothing can be pushed before the stack is deployed`,
      fix: "move the repository into a stack of its own",
    });
  }
  if (Stage.of(stack) !== Stage.of(other)) return;
  deployAfter(stack, other, "an image is pushed into the repository before this stack is deployed");
}
