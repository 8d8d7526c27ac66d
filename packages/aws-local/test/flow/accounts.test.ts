// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CreateRepositoryCommand, DescribeImagesCommand, type ECRClient } from "@aws-sdk/client-ecr";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { buildActionsIn, resolveIntrinsics, type Template } from "codebuild-local";
import { afterAll, beforeAll, expect, it } from "vitest";
import { treeBase } from "../../../lab/src/index.ts";
import type { AccessKey, AwsLocal, PolicyDocument } from "../../src/index.ts";
import { clientsOf } from "../clients.ts";
import { type AccountsApp, publishRole, synthAccounts } from "./accounts-app.ts";
import { type FlowSite, openFlowSite } from "./flow-site.ts";
import { runAction } from "./local-pipeline.ts";
import { keysOf, roleOf } from "./role-of.ts";

const to = { account: "222222222222", region: "us-east-1" };

let site: FlowSite;
let work: string;
let aws: AwsLocal;
let app: AccountsApp;
/** The registries of both places, as their owners see them. */
let ecr: { readonly from: ECRClient; readonly to: ECRClient };

beforeAll(async () => {
  site = await openFlowSite("accounts");
  ({ work, aws } = site);
  ecr = {
    from: site.clients.ecr,
    to: clientsOf(aws, { key: aws.addUser("owner", to.account), region: to.region }).ecr,
  };
  for (const repositoryName of ["tree", "orders-dev"])
    await ecr.from.send(new CreateRepositoryCommand({ repositoryName }));
  await ecr.to.send(new CreateRepositoryCommand({ repositoryName: "orders-prod" }));
  await treeBase(aws.registryPlace);
  const { account, region } = aws;
  app = await synthAccounts(work, { base: `${aws.registryHost()}/tree:1`, from: { account, region }, to });
});
afterAll(async () => await site?.close());

async function templateIn(file: string): Promise<Template> {
  return JSON.parse(await readFile(file, "utf8")) as Template;
}

/** Builds an action of the pipeline with the rights of its project's role, where there is no docker. */
async function run(part: string) {
  const template = await templateIn(app.files.pipeline);
  const buckets = Object.entries(template.Resources ?? {}).filter(([, { Type }]) => Type === "AWS::S3::Bucket");
  const given = { ...keysOf(template, aws), ...Object.fromEntries(buckets.map(([id]) => [id, "artifacts"])) };
  const values = { account: aws.account, region: aws.region, given };
  const action = buildActionsIn(template, values).find(({ name }) => name.endsWith(part));
  const { result, log } = await runAction(`${action?.stage}.${action?.name}`, {
    options: {
      ...{ aws, clients: site.clients, template, given, scratch: work },
      ...{ assembly: app.assembly, source: app.source },
      machine: (project) => {
        const { name, policies } = roleOf(project, { template, values });
        const key = aws.addRole(name, policies);
        return { ...aws.environment(key), PATH: `${dirname(process.execPath)}:/usr/bin:/bin` };
      },
    },
    values,
  });
  expect(result.status, log).toBe("SUCCEEDED");
  return { told: result.exportedVariables, log };
}

async function digestIn(client: ECRClient, repositoryName: string): Promise<string | undefined> {
  const imageIds = [{ imageTag: app.imageTag }];
  const { imageDetails } = await client.send(new DescribeImagesCommand({ repositoryName, imageIds }));
  return imageDetails?.[0]?.imageDigest;
}

/** Gives the publish role the rights, and the trust, that its own template gives it. */
async function addPublishRole(): Promise<void> {
  const template = await templateIn(app.files.roles);
  const values = { ...to, given: {} };
  const documentsOf = (type: string, property: string) =>
    Object.values(template.Resources ?? {})
      .filter(({ Type }) => Type === type)
      .map(({ Properties }) => resolveIntrinsics(Properties?.[property], { template, values }) as PolicyDocument);
  const [trust] = documentsOf("AWS::IAM::Role", "AssumeRolePolicyDocument");
  expect(trust?.Statement).toHaveLength(1);
  aws.addRole(publishRole.roleName, documentsOf("AWS::IAM::Policy", "PolicyDocument"), { account: to.account, trust });
}

it("copies the same digest to another account and Region, with the role that is there for it", async () => {
  await addPublishRole();
  const built = await run("BuildImages");
  const before = aws.calls.length;

  const copied = await run("PromoteImages");

  const there = aws.calls.slice(before).filter(({ service, region }) => service === "ecr" && region === to.region);
  const digest = await digestIn(ecr.from, "orders-dev");
  expect(digest).toMatch(/^sha256:/);
  expect(await digestIn(ecr.to, "orders-prod")).toBe(digest);
  expect(built.told["LAYERWISE_DIGEST"]).toBe(digest);
  expect(copied.told).toMatchObject({ LAYERWISE_DIGEST: digest, LAYERWISE_TAG: app.imageTag });
  const role = `arn:aws:sts::${to.account}:assumed-role/${publishRole.roleName}/layerwise-build`;
  expect([...new Set(there.map(({ caller }) => caller))]).toEqual([role]);
  // The function is deployed from its own account and Region.
  const { Resources = {} } = await templateIn(app.files.user);
  const [lambda] = Object.values(Resources).filter(({ Type }) => Type === "AWS::Lambda::Function");
  const code = resolveIntrinsics(lambda?.Properties?.["Code"], { template: {}, values: { ...to, given: {} } });
  expect(code).toEqual({
    ImageUri: `${to.account}.dkr.ecr.${to.region}.amazonaws.com/orders-prod:${app.imageTag}`,
  });
});

it("has a role that nobody assumes who does not know its external id, or is of another account", async () => {
  await addPublishRole();
  const RoleArn = `arn:aws:iam::${to.account}:role/${publishRole.roleName}`;
  const assume = async (key: AccessKey | undefined, ExternalId?: string) =>
    await clientsOf(aws, { key }).sts.send(new AssumeRoleCommand({ RoleArn, ExternalId, RoleSessionName: "test" }));

  await expect(assume(undefined)).rejects.toMatchObject({ name: "AccessDenied" });
  await expect(assume(undefined, "invoices")).rejects.toMatchObject({ name: "AccessDenied" });
  await expect(assume(aws.addUser("stranger", "333333333333"), publishRole.externalId)).rejects.toThrow("AssumeRole");
  await expect(assume(undefined, publishRole.externalId)).resolves.toHaveProperty("Credentials.AccessKeyId");
});
