// SPDX-License-Identifier: Apache-2.0
import { BatchGetBuildsCommand, StartBuildCommand, StopBuildCommand } from "@aws-sdk/client-codebuild";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import {
  CreateBucketCommand,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { GetParameterCommand, GetParametersCommand } from "@aws-sdk/client-ssm";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BuildRequest } from "../src/index.ts";
import { type AwsLocal, startAwsLocal } from "../src/index.ts";
import { clientsOf } from "./clients.ts";

let aws: AwsLocal;
let now: number;

beforeAll(async () => {
  now = Date.now();
  // No test here reaches a registry.
  aws = await startAwsLocal({ registry: { name: "127.0.0.1:1" }, clock: () => now });
});
afterAll(() => aws.close());

describe("signatures", () => {
  const ask = async (client: ReturnType<typeof clientsOf>["ecr"]) =>
    await client.send(new GetAuthorizationTokenCommand({}));

  it("must be by a known key, with its secret", async () => {
    const key = aws.addUser("someone");
    const unknown = clientsOf(aws, { key: { accessKeyId: "AKIANOBODY", secretAccessKey: "x" } }).ecr;
    const wrong = clientsOf(aws, { key: { ...key, secretAccessKey: "wrong" } }).ecr;

    await expect(ask(clientsOf(aws, { key }).ecr)).resolves.toBeDefined();
    await expect(ask(unknown)).rejects.toMatchObject({ name: "UnrecognizedClientException" });
    await expect(ask(wrong)).rejects.toMatchObject({ name: "InvalidSignatureException" });
  });

  it("must be for a Region that is there, and for the service that is asked", async () => {
    const elsewhere = clientsOf(aws, { region: "eu-west-3" }).ecr;
    const misdirected = clientsOf(aws).ssm;
    misdirected.middlewareStack.add(
      (next) => async (args) => {
        const { request } = args as { request: { headers: Record<string, string> } };
        request.headers["x-amz-target"] = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
        return await next(args);
      },
      { step: "build", priority: "low" },
    );

    await expect(ask(elsewhere)).rejects.toMatchObject({ name: "InvalidSignatureException" });
    const wrong = misdirected.send(new GetParameterCommand({ Name: "x" }));
    await expect(wrong).rejects.toThrow("Credential should be scoped to correct service: 'ecr'");
  });

  it("must be there", async () => {
    const headers = { "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken" };
    const answer = await fetch(aws.endpoint, { method: "POST", headers, body: "{}" });

    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ __type: "MissingAuthenticationToken" });
  });
});

describe("STS", () => {
  it("tells who calls, and lends roles of other accounts for a time", async () => {
    const { sts } = clientsOf(aws);
    const RoleArn = "arn:aws:iam::444455556666:role/publish";
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "test" }));
    const key = {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    };
    const assumed = clientsOf(aws, { key }).sts;

    const before = await sts.send(new GetCallerIdentityCommand({}));
    const inRole = await assumed.send(new GetCallerIdentityCommand({}));
    const withoutToken = clientsOf(aws, { key: { ...key, sessionToken: undefined } }).sts;
    const refused = withoutToken.send(new GetCallerIdentityCommand({}));

    expect(before).toMatchObject({ Account: "111122223333", Arn: "arn:aws:iam::111122223333:user/local" });
    expect(inRole).toMatchObject({
      Account: "444455556666",
      Arn: "arn:aws:sts::444455556666:assumed-role/publish/test",
    });
    expect(Credentials?.Expiration?.getTime()).toBeGreaterThan(now);
    await expect(refused).rejects.toMatchObject({ name: "InvalidClientTokenId" });
  });
});

describe("Secrets Manager and Parameter Store", () => {
  it("give values by name and by ARN", async () => {
    aws.secrets.set("npm/token", "secret");
    aws.parameters.set("/app/version", "7");
    const { secrets, ssm } = clientsOf(aws);

    const byName = await secrets.send(new GetSecretValueCommand({ SecretId: "npm/token" }));
    const byArn = await secrets.send(new GetSecretValueCommand({ SecretId: byName.ARN }));
    const parameters = await ssm.send(new GetParametersCommand({ Names: ["/app/version", "/none"] }));

    expect([byName.SecretString, byArn.SecretString]).toEqual(["secret", "secret"]);
    expect(parameters.Parameters?.[0]?.Value).toBe("7");
    expect(parameters.InvalidParameters).toEqual(["/none"]);
    await expect(ssm.send(new GetParameterCommand({ Name: "/none" }))).rejects.toMatchObject({
      name: "ParameterNotFound",
    });
    const missing = secrets.send(new GetSecretValueCommand({ SecretId: "none" }));
    await expect(missing).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});

describe("S3", () => {
  it("keeps objects as the SDK sends them", async () => {
    const { s3 } = clientsOf(aws);
    const [Bucket, Key] = ["assets", "folder/a b+ü.json"];
    await s3.send(new CreateBucketCommand({ Bucket }));

    await s3.send(
      new PutObjectCommand({ Bucket, Key, Body: "text", ContentType: "application/json", Metadata: { by: "test" } }),
    );
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "folder/" }));

    expect(await got.Body?.transformToString()).toBe("text");
    expect(got).toMatchObject({ ContentType: "application/json", Metadata: { by: "test" } });
    expect(head.ContentLength).toBe(4);
    expect(listed.Contents?.map((object) => [object.Key, object.Size])).toEqual([[Key, 4]]);
  });

  it("answers what tools ask of a bucket", async () => {
    const { s3 } = clientsOf(aws);
    await s3.send(new CreateBucketCommand({ Bucket: "asked" }));

    expect((await s3.send(new GetBucketLocationCommand({ Bucket: "asked" }))).LocationConstraint).toBe("eu-central-1");
    const encryption = await s3.send(new GetBucketEncryptionCommand({ Bucket: "asked" }));
    expect(encryption.ServerSideEncryptionConfiguration?.Rules).toHaveLength(1);
    await expect(s3.send(new HeadBucketCommand({ Bucket: "none" }))).rejects.toMatchObject({ name: "NotFound" });
    const missing = s3.send(new GetObjectCommand({ Bucket: "asked", Key: "none" }));
    await expect(missing).rejects.toMatchObject({ name: "NoSuchKey" });
  });
});

describe("CodeBuild", () => {
  it("runs a project, tells how far it is, and what it exported", async () => {
    const { codebuild } = clientsOf(aws);
    let end: () => void = () => undefined;
    const mayEnd = new Promise<void>((resolve) => {
      end = resolve;
    });
    const requests: BuildRequest[] = [];
    aws.addProject({
      name: "app",
      async run(request, { log, phases }) {
        requests.push(request);
        phases([{ phaseType: "BUILD", startTime: now }]);
        log("hello\n");
        await mayEnd;
        return { status: "SUCCEEDED", exportedVariables: [{ name: "TAG", value: "1" }] };
      },
    });

    const environmentVariablesOverride = [{ name: "COMMIT", value: "abc" }];
    const started = await codebuild.send(new StartBuildCommand({ projectName: "app", environmentVariablesOverride }));
    const id = started.build?.id ?? "";
    const during = (await codebuild.send(new BatchGetBuildsCommand({ ids: [id] }))).builds?.[0];
    end();
    await expect
      .poll(async () => (await codebuild.send(new BatchGetBuildsCommand({ ids: [id] }))).builds?.[0]?.buildComplete)
      .toBe(true);
    const after = await codebuild.send(new BatchGetBuildsCommand({ ids: [id, "app:none"] }));

    expect(during).toMatchObject({ buildStatus: "IN_PROGRESS", currentPhase: "BUILD", buildNumber: 1 });
    expect(after.builds?.[0]).toMatchObject({
      buildStatus: "SUCCEEDED",
      exportedEnvironmentVariables: [{ name: "TAG", value: "1" }],
    });
    expect(after.buildsNotFound).toEqual(["app:none"]);
    expect(requests).toMatchObject([
      { environmentVariablesOverride: [{ name: "COMMIT", value: "abc", type: "PLAINTEXT" }] },
    ]);
    expect(aws.buildLog(id)).toBe("hello\n");
  });

  it("stops a build, and does not start one twice", async () => {
    const { codebuild } = clientsOf(aws);
    aws.addProject({
      name: "endless",
      run: (_, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ status: "FAILED", exportedVariables: [] }));
        }),
    });
    const input = { projectName: "endless", idempotencyToken: "once" };

    const [one, other] = [
      await codebuild.send(new StartBuildCommand(input)),
      await codebuild.send(new StartBuildCommand(input)),
    ];
    const stopped = await codebuild.send(new StopBuildCommand({ id: one.build?.id }));

    expect(other.build?.id).toBe(one.build?.id);
    expect(stopped.build?.buildStatus).toBe("STOPPED");
    const missing = codebuild.send(new StartBuildCommand({ projectName: "none" }));
    await expect(missing).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});
