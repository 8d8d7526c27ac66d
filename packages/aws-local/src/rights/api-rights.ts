// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "../error.ts";
import { secretArn } from "../secrets.ts";
import type { Right } from "./policy.ts";

/** A call of an API, as far as rights depend on it. */
export interface ApiRequest {
  readonly service: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly account: string;
  readonly region: string;
}

/** Rights that a call needs. https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html */
export function apiRights(request: ApiRequest): readonly Right[] {
  const { service, name } = request;
  // Whoever has a key may ask whose it is.
  if (name === "GetCallerIdentity") return [];
  return resourcesOf(request).map((resource) => ({ action: `${service}:${name}`, resource }));
}

function resourcesOf({ service, name, input, account, region }: ApiRequest): readonly string[] {
  const arnOf = (resource: string, owner = account) => `arn:aws:${service}:${region}:${owner}:${resource}`;
  switch (service) {
    case "ecr": {
      if (/^(?:GetAuthorizationToken|(?:Get|Put)AccountSetting)$/.test(name)) return ["*"];
      const names = input["repositoryNames"] ?? [input["repositoryName"] ?? "*"];
      const owner = typeof input["registryId"] === "string" ? input["registryId"] : account;
      return (names as readonly string[]).map((repository) => arnOf(`repository/${repository}`, owner));
    }
    case "sts":
      return [String(input["RoleArn"])];
    case "secretsmanager": {
      const id = String(input["SecretId"]);
      return [id.startsWith("arn:") ? id : secretArn(id, { account, region })];
    }
    case "ssm": {
      const names = (input["Names"] ?? [input["Name"]]) as readonly string[];
      return names.map((one) => (one.startsWith("arn:") ? one : arnOf(`parameter/${one.replace(/^\//, "")}`)));
    }
    default: {
      const names = (input["ids"] ?? [input["projectName"] ?? input["id"]]) as readonly string[];
      return names.map((one) => arnOf(`project/${one.split(":")[0]}`));
    }
  }
}

/**
 * Rights that a request of S3 needs, with the bucket in the path.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
export function s3Rights({ method, target }: { readonly method: string; readonly target: string }): readonly Right[] {
  const { pathname, searchParams: query } = new URL(target, "http://s3.invalid");
  const [bucket = "", ...rest] = pathname.slice(1).split("/").map(decodeURIComponent);
  const key = rest.join("/");
  if (bucket === "") return [{ action: "s3:ListAllMyBuckets", resource: "*" }];
  if (key !== "") {
    const action = { GET: "GetObject", HEAD: "GetObject", PUT: "PutObject", POST: "PutObject", DELETE: "DeleteObject" };
    return [{ action: `s3:${actionFor(action, method)}`, resource: `arn:aws:s3:::${bucket}/${key}` }];
  }
  const ofBucket = query.has("location")
    ? "GetBucketLocation"
    : query.has("encryption")
      ? "GetEncryptionConfiguration"
      : actionFor({ GET: "ListBucket", HEAD: "ListBucket", PUT: "CreateBucket" }, method);
  return [{ action: `s3:${ofBucket}`, resource: `arn:aws:s3:::${bucket}` }];
}

function actionFor(actions: Readonly<Record<string, string>>, method: string): string {
  const action = actions[method];
  if (action === undefined) throw new AwsError("NotImplemented", `${method} is not there`, 501);
  return action;
}
