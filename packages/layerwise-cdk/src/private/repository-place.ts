// SPDX-License-Identifier: Apache-2.0
import { CfnResource, Stack, Token } from "aws-cdk-lib";
import type { IRepository } from "aws-cdk-lib/aws-ecr";
import type { Construct } from "constructs";
import { refusal } from "./refuse";

/** A repository by plain names, which mean the same in every stack and stage. */
export interface RepositoryPlace {
  readonly name: string;
  /** Undefined if it is that of the stack that asks. */
  readonly account?: string;
  readonly region?: string;
}

/**
 * Where a repository is.
 *
 * A pipeline deploys it in another stage than it builds the image in, and no token crosses stages; so its name must be
 * one that the author gave.
 */
export function placeOf(repository: IRepository): RepositoryPlace {
  const name = knownText(repository.repositoryName) ?? givenName(repository);
  if (name === undefined) {
    throw refusal({
      what: `build an image for the repository ${repository.node.path}`,
      why: "its name is made by CloudFormation, so no build can know it before the deployment",
      fix: "give it a repositoryName",
    });
  }
  return { name, account: knownText(repository.env.account), region: knownText(repository.env.region) };
}

/** The host of a registry, as a token where account or Region are those of the stack. */
export function registryHost(place: RepositoryPlace, scope: Construct): string {
  const stack = Stack.of(scope);
  return `${place.account ?? stack.account}.dkr.ecr.${place.region ?? stack.region}.${stack.urlSuffix}`;
}

/** The ARN of a repository, as seen from a stack. */
export function repositoryArn(place: RepositoryPlace, scope: Construct): string {
  const stack = Stack.of(scope);
  const { account = stack.account, region = stack.region, name } = place;
  return `arn:${stack.partition}:ecr:${region}:${account}:repository/${name}`;
}

/** A text that is known at synth. */
export function knownText(text: string): string | undefined {
  return Token.isUnresolved(text) ? undefined : text;
}

function givenName(repository: IRepository): string | undefined {
  const child = repository.node.defaultChild;
  if (!CfnResource.isCfnResource(child)) return undefined;
  const { repositoryName } = child as CfnResource & { repositoryName?: string };
  return repositoryName === undefined ? undefined : knownText(repositoryName);
}
