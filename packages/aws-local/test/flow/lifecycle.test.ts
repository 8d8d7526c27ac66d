// SPDX-License-Identifier: Apache-2.0
import {
  CreateRepositoryCommand,
  GetLifecyclePolicyPreviewCommand,
  PutImageCommand,
  StartLifecyclePolicyPreviewCommand,
} from "@aws-sdk/client-ecr";
import { App, Stack } from "aws-cdk-lib";
import type { CfnRepository } from "aws-cdk-lib/aws-ecr";
import { ImageRepository } from "layerwise-cdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { clientsOf } from "../clients.ts";
import { type Cloud, startCloud, types } from "../cloud.ts";

const year = 365 * 86_400_000;
const repositoryName = "orders";
const indexType = "application/vnd.oci.image.index.v1+json";

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
  await clientsOf(cloud.aws).ecr.send(new CreateRepositoryCommand({ repositoryName }));
});
afterAll(() => cloud.close());

/** The lifecycle policy as CloudFormation gets it. */
function policy(): string {
  const stack = new Stack(new App(), "Repository");
  const repository = new ImageRepository(stack, "Images", { repositoryName, floatingTags: ["latest"] });
  const { lifecyclePolicy } = repository.node.defaultChild as CfnRepository;
  const { lifecyclePolicyText } = stack.resolve(lifecyclePolicy) as CfnRepository.LifecyclePolicyProperty;
  return lifecyclePolicyText ?? "";
}

async function push(tag: string, content: string): Promise<string> {
  const { status, headers } = await cloud.pushImage(repositoryName, tag, { content });
  expect(status).toBe(201);
  return headers.get("docker-content-digest") ?? "";
}

it("expires cache and what has lost its last tag, and nothing that may be deployed, however old", async () => {
  const { ecr } = clientsOf(cloud.aws);
  // What an engine has pushed has this tag too, until the next one has it.
  for (const release of ["content-1", "content-2"]) {
    for (const tag of [release, "lwcache-incoming", "latest"]) await push(tag, release);
  }
  await push("content-3", "assembled");
  await push("lwcache-1", "checkpoint");
  const lost = await push("lwcache-2", "checkpoint before");
  await push("lwcache-2", "checkpoint after");
  // A platform of an index that was copied by digest: it has no tag of its own.
  const digest = await push("lwcache-3", "platform");
  const manifests = [{ mediaType: types.oci[0], digest, size: 1, platform: { os: "linux", architecture: "arm64" } }];
  const imageManifest = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
  const index = { repositoryName, imageTag: "content-4", imageManifest, imageManifestMediaType: indexType };
  await ecr.send(new PutImageCommand(index));
  await push("lwcache-3", "checkpoint of something else");
  cloud.advance(year);

  await ecr.send(new StartLifecyclePolicyPreviewCommand({ repositoryName, lifecyclePolicyText: policy() }));
  const { previewResults = [] } = await ecr.send(new GetLifecyclePolicyPreviewCommand({ repositoryName }));

  const expiring = previewResults.map(({ imageTags = [], imageDigest }) => imageTags[0] ?? imageDigest);
  expect(expiring.sort()).toEqual(["lwcache-1", "lwcache-2", "lwcache-3", lost]);
});
