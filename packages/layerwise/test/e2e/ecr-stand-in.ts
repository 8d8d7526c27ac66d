// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "../../../lab/src/index.ts";

/** The few calls to ECR and STS that publishing an image makes, in front of a registry with one user. */
export interface EcrStandIn {
  /** What points the AWS SDK of a program to it, with credentials. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const account = "123456789012";

/** Starts it on loopback. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html */
export async function startEcr(registry: Registry): Promise<EcrStandIn> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const chunk of request) parts.push(chunk as Buffer);
    const body = Buffer.concat(parts).toString("utf8");
    const operation = String(request.headers["x-amz-target"] ?? "").split(".")[1];
    if (operation === undefined) {
      response.setHeader("content-type", "text/xml");
      response.end(identity);
      return;
    }
    const { status, document } = await answer(operation, JSON.parse(body) as Question, registry);
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify(document));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref(); // A forgotten stand-in must not make a process hang.
  return {
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_REGION: "eu-west-1",
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Question {
  readonly repositoryName?: string;
  readonly repositoryNames?: readonly string[];
  readonly imageIds?: readonly { readonly imageTag: string }[];
}

async function answer(
  operation: string,
  { repositoryName, repositoryNames = [], imageIds = [] }: Question,
  { name, auth }: Registry,
): Promise<{ status: number; document: unknown }> {
  const basic = Buffer.from(`${auth?.user}:${auth?.password}`).toString("base64");
  switch (operation) {
    case "GetAuthorizationToken":
      return {
        status: 200,
        document: { authorizationData: [{ authorizationToken: basic, proxyEndpoint: `http://${name}` }] },
      };
    case "DescribeRepositories": {
      const repositories = repositoryNames.map((path) => ({ repositoryName: path, repositoryUri: `${name}/${path}` }));
      return { status: 200, document: { repositories } };
    }
    case "DescribeImages": {
      const url = `http://${name}/v2/${repositoryName}/manifests/${imageIds[0]?.imageTag}`;
      const headers = { authorization: `Basic ${basic}`, accept: "application/vnd.oci.image.manifest.v1+json, */*" };
      const { status } = await fetch(url, { method: "HEAD", headers });
      if (status === 200) return { status, document: { imageDetails: [{ repositoryName }] } };
      return { status: 400, document: { __type: "ImageNotFoundException", message: "not there" } };
    }
    default:
      return { status: 400, document: { __type: "UnsupportedCommandException", message: operation } };
  }
}

const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::${account}:user/test</Arn><UserId>AIDA</UserId><Account>${account}</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;
