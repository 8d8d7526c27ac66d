// SPDX-License-Identifier: Apache-2.0
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  GetAuthorizationTokenCommand,
  PutAccountSettingCommand,
} from "@aws-sdk/client-ecr";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readPolicy } from "../src/rights/policy.ts";
import { clientsOf } from "./clients.ts";
import { type Cloud, startCloud } from "./cloud.ts";

const pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
  const { ecr } = clientsOf(cloud.aws);
  for (const repositoryName of ["own", "other"]) await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  await ecr.send(new PutAccountSettingCommand({ name: "BLOB_MOUNTING", value: "ENABLED" }));
});
afterAll(() => cloud.close());

/** Clients and a login of a role that may do this in the repository `own`. */
async function roleThatMay(...actions: readonly string[]) {
  const Resource = "arn:aws:ecr:eu-central-1:111122223333:repository/own";
  const key = cloud.aws.addRole(`may-${actions.length}`, [
    {
      Statement: [
        { Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
        { Effect: "Allow", Action: actions, Resource },
      ],
    },
  ]);
  const clients = clientsOf(cloud.aws, { key });
  const { authorizationData = [] } = await clients.ecr.send(new GetAuthorizationTokenCommand({}));
  const headers = { authorization: `Basic ${authorizationData[0]?.authorizationToken}` };
  const ask = async (method: string, path: string) => {
    const { status, body } = await cloud.ask(method, path, { headers });
    return [status, JSON.parse(body.toString("utf8") || "{}").errors?.[0]?.code];
  };
  return { clients, ask };
}

it("lets a role do what its policies allow, in the API and in the registry, and nothing else", async () => {
  const digest = await cloud.pushBlob("own", Buffer.from("layer"));
  await cloud.pushImage("own", "1");
  await cloud.pushImage("other", "1");
  const { clients, ask } = await roleThatMay(...pull);
  const image = (repositoryName: string) =>
    clients.ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "1" }] }));

  expect((await image("own")).images).toHaveLength(1);
  await expect(image("other")).rejects.toMatchObject({
    name: "AccessDeniedException",
    message:
      "User: arn:aws:sts::111122223333:assumed-role/may-2/local is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-central-1:111122223333:repository/other because no identity-based policy allows the ecr:BatchGetImage action",
  });
  expect(await ask("GET", `/v2/own/blobs/${digest}`).catch(() => "bytes")).toBe("bytes");
  expect(await ask("GET", "/v2/other/manifests/1")).toEqual([403, "DENIED"]);
  expect(await ask("POST", "/v2/own/blobs/uploads/")).toEqual([403, "DENIED"]);
  expect(await ask("PUT", "/v2/own/manifests/2")).toEqual([403, "DENIED"]);
  expect(await ask("GET", "/v2/own/tags/list")).toEqual([403, "DENIED"]);
});

it("mounts a blob only for those who may read it where it is", async () => {
  const image = await cloud.pushImage("other", "mounted");
  const [, config = ""] = /"config":\{[^}]*"digest":"([^"]+)"/.exec((await manifestOf(image.headers)).toString()) ?? [];
  const push = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"];
  const { ask } = await roleThatMay(...push);

  expect(await ask("POST", `/v2/own/blobs/uploads/?mount=${config}&from=other`)).toEqual([202, undefined]);
  const mounted = await cloud.ask("POST", `/v2/own/blobs/uploads/?mount=${config}&from=other`);
  expect(mounted.status).toBe(201);
});

async function manifestOf(headers: Headers): Promise<Buffer> {
  return (await cloud.ask("GET", `/v2/other/manifests/${headers.get("docker-content-digest")}`)).body;
}

it("refuses a role the other services that it has no rights for", async () => {
  const { clients } = await roleThatMay(...pull);

  const denied = [
    () => clients.secrets.send(new GetSecretValueCommand({ SecretId: "app/token" })),
    () => clients.ssm.send(new GetParameterCommand({ Name: "/app/token" })),
    () => clients.s3.send(new PutObjectCommand({ Bucket: "bucket", Key: "key", Body: "body" })),
    () =>
      clients.sts.send(new AssumeRoleCommand({ RoleArn: "arn:aws:iam::444455556666:role/o", RoleSessionName: "me" })),
  ];

  for (const one of denied) await expect(one()).rejects.toMatchObject({ name: expect.stringMatching(/^AccessDenied/) });
  expect((await clients.sts.send(new GetCallerIdentityCommand({}))).Arn).toContain("assumed-role/may-2/local");
});

it.each([
  ["a star", { Action: "ecr:*", Resource: "*" }, true],
  ["actions in another case", { Action: "ECR:putimage", Resource: "arn:aws:ecr:eu:1:repository/app" }, true],
  ["question marks", { Action: "ecr:PutImage", Resource: "arn:aws:ecr:eu:1:repository/???" }, true],
  ["another resource", { Action: "ecr:PutImage", Resource: "arn:aws:ecr:eu:1:repository/ap" }, false],
  ["another action", { Action: ["ecr:GetImage", "s3:*"], Resource: "*" }, false],
])("reads %s in a policy", (_, statement, isAllowed) => {
  const policy = readPolicy([{ Statement: [{ Effect: "Allow", ...statement }] }]);

  expect(policy.allows({ action: "ecr:PutImage", resource: "arn:aws:ecr:eu:1:repository/app" })).toBe(isAllowed);
});

it("denies what one statement denies, and takes no policy that it would read wrongly", () => {
  const everything = { Effect: "Allow", Action: "*", Resource: "*" };
  const denying = readPolicy([{ Statement: [everything] }, { Statement: [{ ...everything, Effect: "Deny" }] }]);

  expect(denying.allows({ action: "ecr:PutImage", resource: "*" })).toBe(false);
  expect(() => readPolicy([{ Statement: [{ ...everything, Condition: {} }] }])).toThrow(
    "Condition is not there in this stand-in",
  );
});
