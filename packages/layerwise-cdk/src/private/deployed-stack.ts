// SPDX-License-Identifier: Apache-2.0
import { Stack } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** The stack that a pipeline deploys for a construct: a nested stack is deployed with the one that it is in. */
export function deployedStack(construct: IConstruct): Stack {
  let stack = Stack.of(construct);
  while (stack.nestedStackParent !== undefined) stack = stack.nestedStackParent;
  return stack;
}

/** Has a stack deployed after another. The method was renamed within the versions that are supported, and its old name warns. */
export function deployAfter(
  stack: Stack & { addStackDependency?: Stack["addDependency"] },
  to: Stack,
  why: string,
): void {
  if (stack.addStackDependency === undefined) stack.addDependency(to, why);
  else stack.addStackDependency(to, why);
}
