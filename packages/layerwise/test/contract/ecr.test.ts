// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type Certificates, makeCertificates } from "../certificates.ts";
import { openTestRepositories } from "../open-repositories.ts";
import { startProxyServer } from "../proxy-server.ts";
import { type ScriptedServer, startScriptedServer } from "../scripted-server.ts";

const host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const accessKey = "AKIDEXAMPLE";
const secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const request = "GET /v2/app/manifests/latest";
const found = { status: 200, body: "{}" };

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates({ names: [host] });
});
afterAll(() => certificates.remove());

beforeEach(() => {
  // AWS's packages read the process's environment; nothing of this machine may be found.
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent");
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  return () => vi.unstubAllEnvs();
});

describe("a private ECR registry", () => {
  it("is given a token that AWS's credentials were exchanged for, from the first request on", async () => {
    stubCredentials();
    const aws = await startAws({ password: "ecr-token" });
    const { registry, repository } = await start(aws);
    const headers = { authorization: `Basic ${base64("AWS:ecr-token")}`, host };
    registry.expect({ request, headers, answer: found }, { request, headers, answer: found });

    await repository.fetchManifest("latest");
    await repository.fetchManifest("latest");

    expect(aws.calls).toHaveLength(1);
    expect(aws.calls[0]).toMatchObject({
      line: "POST /",
      target: "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
      contentType: "application/x-amz-json-1.1",
      body: "{}",
      sessionToken: undefined,
      isSignedRight: true,
    });
  });

  it("signs with a session token as well", async () => {
    stubCredentials();
    vi.stubEnv("AWS_SESSION_TOKEN", "session");
    const aws = await startAws({ password: "ecr-token" });
    const { registry, repository } = await start(aws);
    registry.expect({ request, answer: found });

    await repository.fetchManifest("latest");

    expect(aws.calls[0]).toMatchObject({ sessionToken: "session", isSignedRight: true });
  });

  it("is given another token shortly before the first one ends", async () => {
    stubCredentials();
    const aws = await startAws({ password: "ecr-token" });
    const { registry, repository, advance } = await start(aws);
    registry.expect({ request, answer: found }, { request, answer: found }, { request, answer: found });

    await repository.fetchManifest("latest");
    advance(11 * 3_600_000);
    await repository.fetchManifest("latest");
    advance(3_600_000 - 60_000);
    await repository.fetchManifest("latest");

    expect(aws.calls).toHaveLength(2);
  });

  it("is given what Docker's config has for it, without asking AWS", async () => {
    stubCredentials();
    const aws = await startAws({ password: "ecr-token" });
    const dockerConfig = { auths: { [host]: { auth: base64("AWS:from-docker-login") } } };
    const { registry, repository } = await start(aws, { dockerConfig });
    registry.expect({ request, headers: { authorization: `Basic ${base64("AWS:from-docker-login")}` }, answer: found });

    await repository.fetchManifest("latest");

    expect(aws.calls).toEqual([]);
  });

  it("is asked anonymously without AWS credentials, and its refusal says so", async () => {
    const aws = await startAws({ password: "ecr-token" });
    const { registry, repository } = await start(aws);
    const challenge = { "www-authenticate": `Basic realm="https://${host}/",service="ecr.amazonaws.com"` };
    registry.expect({ request, headers: { authorization: undefined }, answer: { status: 401, headers: challenge } });

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      hint: `log in with "docker login ${host}"; no credentials were found in Docker's config, and no AWS credentials either`,
    });
    expect(aws.calls).toEqual([]);
  });

  it("is not asked when AWS refuses the credentials", async () => {
    stubCredentials();
    const message = `User is not authorized, ${secretKey}`;
    const aws = await startAws({ refuses: { __type: "com.amazonaws#AccessDeniedException", message } });
    const { repository } = await start(aws);

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "CREDENTIALS_UNREADABLE",
      message:
        "could not get a token for the ECR registry 123456789012 in eu-central-1: " +
        "400 com.amazonaws#AccessDeniedException: User is not authorized, ***",
    });
  });

  it("has its repository's creation command in the hint when a push finds none", async () => {
    stubCredentials();
    const aws = await startAws({ password: "ecr-token" });
    const { registry, repository } = await start(aws);
    const body = '{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name \'app\' does not exist"}]}';
    registry.expect({ request: "PUT /v2/app/manifests/latest", answer: { status: 404, body } });
    const digest = `sha256:${createHash("sha256").update("{}").digest("hex")}` as const;

    const pushing = repository.pushManifest("latest", { mediaType: "m", digest, bytes: Buffer.from("{}") });

    await expect(pushing).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      hint: "create it first: aws ecr create-repository --region eu-central-1 --repository-name app",
    });
  });
});

function stubCredentials(): void {
  vi.stubEnv("AWS_ACCESS_KEY_ID", accessKey);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretKey);
}

interface Call {
  readonly line: string;
  readonly target: unknown;
  readonly contentType: unknown;
  readonly body: string;
  readonly sessionToken: unknown;
  readonly isSignedRight: boolean;
}

interface Aws {
  readonly origin: string;
  readonly calls: Call[];
}

/** A stand-in for ECR's API that checks signatures by computing them anew. */
async function startAws({ password, refuses }: { password?: string; refuses?: object }): Promise<Aws> {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { headers } = request;
    calls.push({
      line: `${request.method} ${request.url}`,
      target: headers["x-amz-target"],
      contentType: headers["content-type"],
      body,
      sessionToken: headers["x-amz-security-token"],
      isSignedRight: headers.authorization === signatureOf({ path: request.url ?? "", headers, body }),
    });
    const authorizationToken = base64(`AWS:${password}`);
    const expiresAt = Date.now() / 1000 + 12 * 3_600;
    response.writeHead(refuses === undefined ? 200 : 400, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(refuses ?? { authorizationData: [{ authorizationToken, expiresAt }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signatureOf({
  path,
  headers,
  body,
}: {
  path: string;
  headers: Readonly<Record<string, unknown>>;
  body: string;
}): string {
  const names = /SignedHeaders=([^,]+)/.exec(String(headers["authorization"]))?.[1] ?? "";
  const date = String(headers["x-amz-date"]);
  const canonicalHeaders = names.split(";").map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = ["POST", path, "", canonicalHeaders.join(""), names, sha256(body)].join("\n");
  const scope = `${date.slice(0, 8)}/eu-central-1/ecr/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretKey}`);
  const signature = hmac(key, toSign).toString("hex");
  return `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** A registry under ECR's name, which a proxy leads to. */
async function start(aws: Aws, { dockerConfig }: { dockerConfig?: object } = {}) {
  const registry: ScriptedServer = await startScriptedServer(certificates);
  const proxy = await startProxyServer({ destination: registry.address });
  const repositories = await openTestRepositories({
    dockerConfig,
    caFiles: [certificates.caFile],
    environment: { HTTPS_PROXY: proxy.origin, AWS_ENDPOINT_URL_ECR: aws.origin },
  });
  return { registry, repository: repositories.inRegistry({ host, path: "app" }), advance: repositories.advance };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
