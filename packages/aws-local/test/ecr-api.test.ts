// SPDX-License-Identifier: Apache-2.0
import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  GetLifecyclePolicyPreviewCommand,
  ListImagesCommand,
  PutImageTagMutabilityCommand,
  PutLifecyclePolicyCommand,
  StartLifecyclePolicyPreviewCommand,
} from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientsOf } from "./clients.ts";
import { type Cloud, startCloud, types } from "./cloud.ts";

const day = 86_400_000;

let cloud: Cloud;
let ecr: ReturnType<typeof clientsOf>["ecr"];

beforeAll(async () => {
  cloud = await startCloud();
  ({ ecr } = clientsOf(cloud.aws));
});
afterAll(() => cloud.close());

async function create(repositoryName: string): Promise<string> {
  await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  return repositoryName;
}

describe("ECR's API", () => {
  it("hands out a token that opens the registry", async () => {
    const { authorizationData = [] } = await ecr.send(new GetAuthorizationTokenCommand({}));

    const [data] = authorizationData;
    const headers = { authorization: `Basic ${data?.authorizationToken}` };
    expect((await cloud.ask("GET", "/v2/", { headers })).status).toBe(200);
    expect(data?.proxyEndpoint).toBe("https://111122223333.dkr.ecr.eu-central-1.amazonaws.com");
    expect(data?.expiresAt).toBeInstanceOf(Date);
  });

  it("describes repositories as they were created", async () => {
    await create("described");

    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["described"] }));

    expect(repositories).toMatchObject([
      {
        repositoryArn: "arn:aws:ecr:eu-central-1:111122223333:repository/described",
        repositoryUri: "111122223333.dkr.ecr.eu-central-1.amazonaws.com/described",
        imageTagMutability: "MUTABLE",
      },
    ]);
  });

  it("refuses what is not there, and what is there already", async () => {
    await create("twice");

    await expect(create("twice")).rejects.toMatchObject({ name: "RepositoryAlreadyExistsException" });
    const missing = ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["nowhere"] }));
    await expect(missing).rejects.toMatchObject({ name: "RepositoryNotFoundException" });
    const image = ecr.send(new DescribeImagesCommand({ repositoryName: "twice", imageIds: [{ imageTag: "1" }] }));
    await expect(image).rejects.toMatchObject({ name: "ImageNotFoundException" });
  });

  it("keeps the registries of Regions and accounts apart", async () => {
    await create("apart");
    const elsewhere = clientsOf(cloud.aws, { region: "us-east-1" }).ecr;
    const other = clientsOf(cloud.aws, { key: cloud.aws.addUser("other", "444455556666") }).ecr;

    for (const client of [elsewhere, other]) {
      const missing = client.send(new DescribeRepositoriesCommand({ repositoryNames: ["apart"] }));
      await expect(missing).rejects.toMatchObject({ name: "RepositoryNotFoundException" });
    }
  });

  it("tells, gives and deletes images", async () => {
    const repositoryName = await create("images");
    const pushed = await cloud.pushImage(repositoryName, "1", { content: "one" });
    await cloud.pushImage(repositoryName, "latest", { content: "one" });
    await cloud.pushImage(repositoryName, "2", { content: "two" });
    const imageDigest = pushed.headers.get("docker-content-digest") ?? "";

    const described = await ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: "1" }] }));
    const got = await ecr.send(
      new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "1" }, { imageTag: "3" }] }),
    );
    const listed = await ecr.send(new ListImagesCommand({ repositoryName }));
    await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: "1" }, { imageTag: "2" }] }));
    const left = await ecr.send(new ListImagesCommand({ repositoryName }));

    expect(described.imageDetails).toMatchObject([
      { imageDigest, imageTags: ["1", "latest"], imageManifestMediaType: types.oci[0] },
    ]);
    expect(got.images?.[0]?.imageManifest).toContain(types.oci[0]);
    expect(got.failures).toMatchObject([{ failureCode: "ImageNotFound" }]);
    expect(listed.imageIds).toHaveLength(3);
    expect(left.imageIds).toEqual([{ imageDigest, imageTag: "latest" }]);
  });

  it("changes whether tags may move", async () => {
    const repositoryName = await create("mutability");
    await cloud.pushImage(repositoryName, "1", { content: "one" });

    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: "IMMUTABLE" }));

    expect((await cloud.pushImage(repositoryName, "1", { content: "two" })).status).toBe(400);
    const filters = Array.from({ length: 6 }, (_, index) => ({ filterType: "WILDCARD" as const, filter: `f${index}` }));
    const refused = ecr.send(
      new PutImageTagMutabilityCommand({
        repositoryName,
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: filters,
      }),
    );
    await expect(refused).rejects.toMatchObject({ name: "InvalidParameterException" });
  });

  it("evaluates a lifecycle policy: the first rule that selects an image decides", async () => {
    const repositoryName = await create("lifecycle");
    await cloud.pushImage(repositoryName, "lwcache-old", { content: "cache" });
    await cloud.pushImage(repositoryName, "content-1", { content: "one" });
    cloud.advance(day * 20);
    await cloud.pushImage(repositoryName, "content-2", { content: "two" });
    await cloud.pushImage(repositoryName, "lwcache-new", { content: "new cache" });
    await cloud.pushImage(repositoryName, "content-3", { content: "three" });
    const tagged = { tagStatus: "tagged", countType: "sinceImagePushed", countUnit: "days" };
    const rules = [
      { rulePriority: 1, selection: { ...tagged, tagPrefixList: ["lwcache-"], countNumber: 14 } },
      {
        rulePriority: 2,
        selection: {
          tagStatus: "tagged",
          tagPatternList: ["content-*"],
          countType: "imageCountMoreThan",
          countNumber: 2,
        },
      },
      { rulePriority: 3, selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 1 } },
    ].map((rule) => ({ ...rule, action: { type: "expire" } }));
    const lifecyclePolicyText = JSON.stringify({ rules });
    await ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }));

    await ecr.send(new StartLifecyclePolicyPreviewCommand({ repositoryName }));
    const preview = await ecr.send(new GetLifecyclePolicyPreviewCommand({ repositoryName }));

    const expiring = preview.previewResults?.map(({ imageTags, appliedRulePriority }) => [
      imageTags?.[0],
      appliedRulePriority,
    ]);
    expect(preview.status).toBe("COMPLETE");
    expect(expiring).toEqual([
      ["lwcache-old", 1],
      ["content-1", 2],
    ]);
  });

  it("refuses a lifecycle policy that ECR would refuse", async () => {
    const repositoryName = await create("policies");
    const selection = { tagStatus: "tagged", countType: "imageCountMoreThan", countNumber: 1 };
    const lifecyclePolicyText = JSON.stringify({ rules: [{ rulePriority: 1, selection, action: { type: "expire" } }] });

    const put = ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }));

    await expect(put).rejects.toMatchObject({ name: "InvalidParameterException" });
  });
});
