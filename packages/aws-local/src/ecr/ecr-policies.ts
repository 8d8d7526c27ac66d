// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "../error.ts";
import { type EcrCall, repositoryOf, textOf } from "./ecr-call.ts";
import { expiringImages, readRules } from "./lifecycle-policy.ts";
import type { StoredRepository } from "./registry-state.ts";

export function putLifecyclePolicy(call: EcrCall): object {
  const repository = repositoryOf(call);
  const { state, input } = call;
  const lifecyclePolicyText = textOf(input, "lifecyclePolicyText");
  readRules(lifecyclePolicyText);
  repository.lifecyclePolicy = lifecyclePolicyText;
  return { registryId: state.account, repositoryName: repository.name, lifecyclePolicyText };
}

export function getLifecyclePolicy(call: EcrCall): object {
  const repository = repositoryOf(call);
  return { registryId: call.state.account, repositoryName: repository.name, lifecyclePolicyText: policyOf(repository) };
}

/** A preview is evaluated when it is asked for, so it is complete at once. */
export function startLifecyclePolicyPreview(call: EcrCall): object {
  const repository = repositoryOf(call);
  const { state, input } = call;
  const given = input["lifecyclePolicyText"];
  const lifecyclePolicyText = typeof given === "string" ? given : policyOf(repository);
  readRules(lifecyclePolicyText);
  repository.previewedPolicy = lifecyclePolicyText;
  return { registryId: state.account, repositoryName: repository.name, lifecyclePolicyText, status: "IN_PROGRESS" };
}

export function getLifecyclePolicyPreview(call: EcrCall): object {
  const repository = repositoryOf(call);
  const { state, clock } = call;
  const policy = repository.previewedPolicy;
  if (policy === undefined) {
    throw new AwsError(
      "LifecyclePolicyPreviewNotFoundException",
      `There is no preview for the repository with name '${repository.name}'`,
    );
  }
  const expiring = expiringImages(repository, { policy, now: clock() });
  return {
    registryId: state.account,
    repositoryName: repository.name,
    lifecyclePolicyText: policy,
    status: "COMPLETE",
    previewResults: expiring.map(({ digest, tags, pushedAt, rulePriority }) => ({
      imageDigest: digest,
      imageTags: tags,
      imagePushedAt: pushedAt / 1000,
      action: { type: "EXPIRE" },
      appliedRulePriority: rulePriority,
    })),
    summary: { expiringImageTotalCount: expiring.length },
  };
}

function policyOf({ lifecyclePolicy, name }: StoredRepository): string {
  if (lifecyclePolicy !== undefined) return lifecyclePolicy;
  throw new AwsError(
    "LifecyclePolicyNotFoundException",
    `Lifecycle policy does not exist for the repository with name '${name}'`,
  );
}
