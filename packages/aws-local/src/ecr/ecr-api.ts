// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "../error.ts";
import type { Caller } from "../signature.ts";
import { type EcrCall, type EcrParts, type Input, textOf } from "./ecr-call.ts";
import { batchDeleteImage, batchGetImage, describeImages, listImages, putImage } from "./ecr-images.ts";
import {
  getLifecyclePolicy,
  getLifecyclePolicyPreview,
  putLifecyclePolicy,
  startLifecyclePolicyPreview,
} from "./ecr-policies.ts";
import { createRepository, deleteRepository, describeRepositories, putImageTagMutability } from "./ecr-repositories.ts";

/** Calls of the API by name. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html */
const calls: Readonly<Record<string, (call: EcrCall) => object | Promise<object>>> = {
  GetAuthorizationToken: getAuthorizationToken,
  CreateRepository: createRepository,
  DescribeRepositories: describeRepositories,
  DeleteRepository: deleteRepository,
  DescribeImages: describeImages,
  ListImages: listImages,
  BatchGetImage: batchGetImage,
  BatchDeleteImage: batchDeleteImage,
  PutImage: putImage,
  PutImageTagMutability: putImageTagMutability,
  PutLifecyclePolicy: putLifecyclePolicy,
  GetLifecyclePolicy: getLifecyclePolicy,
  StartLifecyclePolicyPreview: startLifecyclePolicyPreview,
  GetLifecyclePolicyPreview: getLifecyclePolicyPreview,
  PutAccountSetting: putAccountSetting,
  GetAccountSetting: getAccountSetting,
};

/** Answers a call of ECR's API with the JSON of its answer. */
export async function callEcr(
  name: string,
  { input, caller, parts }: { input: Input; caller: Caller; parts: EcrParts },
): Promise<object> {
  const call = calls[name];
  if (call === undefined) throw new AwsError("UnknownOperationException", `${name} is not there in this stand-in`);
  const account = typeof input["registryId"] === "string" ? input["registryId"] : caller.principal.account;
  return await call({ ...parts, input, principal: caller.principal, state: parts.stateOf(account, caller.region) });
}

function getAuthorizationToken({ state, tokens, hostOf, principal }: EcrCall): object {
  const { password, expires } = tokens.issue(state.region, principal);
  const authorizationToken = Buffer.from(`AWS:${password}`).toString("base64");
  const proxyEndpoint = `https://${hostOf(state.account, state.region)}`;
  return { authorizationData: [{ authorizationToken, expiresAt: expires / 1000, proxyEndpoint }] };
}

function putAccountSetting({ state, input }: EcrCall): object {
  const [name, value] = [textOf(input, "name"), textOf(input, "value")];
  state.settings.set(name, value);
  return { name, value };
}

function getAccountSetting({ state, input }: EcrCall): object {
  const name = textOf(input, "name");
  return { name, value: state.settings.get(name) };
}
