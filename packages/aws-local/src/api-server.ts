// SPDX-License-Identifier: Apache-2.0
import { type BuildService, callCodeBuild } from "./code-build.ts";
import { callEcr } from "./ecr/ecr-api.ts";
import type { EcrParts } from "./ecr/ecr-call.ts";
import { AwsError } from "./error.ts";
import { type Answer, bodyOf, send } from "./http.ts";
import type { Serve } from "./listener.ts";
import type { Principals } from "./principal.ts";
import { apiRights, s3Rights } from "./rights/api-rights.ts";
import { checkRights } from "./rights/check-rights.ts";
import { callS3, type S3Parts, s3Error } from "./s3/s3-api.ts";
import { callSecretsManager, callSsm, type SecretStore } from "./secrets.ts";
import { type Caller, checkSignature, type SignedRequest } from "./signature.ts";
import { callSts } from "./sts.ts";

/** What the APIs work on. */
export interface ApiParts {
  readonly principals: Principals;
  /** Regions that requests may be signed for. */
  readonly regions: readonly string[];
  readonly ecr: EcrParts;
  readonly s3: S3Parts;
  readonly store: SecretStore;
  readonly builds: BuildService;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** A call of an API that was answered. */
export interface ApiCall {
  /** As in the credential scope: `ecr`, `s3`, `sts` …; empty if the signature could not be read. */
  readonly service: string;
  /** The operation; of S3 the method and the path. */
  readonly operation: string;
  readonly region: string;
  /** The ARN of whoever called. */
  readonly caller: string;
  readonly status: number;
}

/** The targets of services that speak JSON, and what they are signed as. */
const services: readonly (readonly [prefix: string, service: string])[] = [
  ["AmazonEC2ContainerRegistry_V20150921", "ecr"],
  ["secretsmanager", "secretsmanager"],
  ["AmazonSSM", "ssm"],
  ["CodeBuild_20161006", "codebuild"],
];

interface Operation {
  readonly service: string;
  readonly name: string;
}

/** Answers requests of all APIs at one address; which one is meant stands in the request itself. */
export function createApiServer(parts: ApiParts, log: (call: ApiCall) => void): Serve {
  const { principals, regions, clock } = parts;
  return async (request, response) => {
    const { method = "GET", url: target = "/", headers } = request;
    const body = await bodyOf(request);
    const signed: SignedRequest = { method, target, headers, body };
    const operation = operationOf(signed);
    let caller: Caller | undefined;
    let answer: Answer;
    try {
      caller = checkSignature(signed, { principals, regions, now: clock(), signingTime: Date.now() });
      if (caller.service !== operation.service) {
        const message = `Credential should be scoped to correct service: '${operation.service}'.`;
        throw new AwsError("InvalidSignatureException", message, 403);
      }
      answer = await answerOf(signed, { operation, caller, parts });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      answer = refusal(operation, error);
    }
    const { principal, region = "" } = caller ?? {};
    log({
      service: operation.service,
      operation: operation.name,
      region,
      caller: principal?.arn ?? "",
      status: answer.status,
    });
    send(response, answer);
  };
}

function operationOf({ method, target, headers, body }: SignedRequest): Operation {
  const [prefix = "", name = ""] = String(headers["x-amz-target"] ?? "").split(".");
  const service = services.find(([one]) => one === prefix)?.[1];
  if (service !== undefined) return { service, name };
  const isForm = String(headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  if (method === "POST" && isForm) {
    return { service: "sts", name: new URLSearchParams(Buffer.from(body).toString("utf8")).get("Action") ?? "" };
  }
  return { service: "s3", name: `${method} ${target.split("?")[0]}` };
}

async function answerOf(
  request: SignedRequest,
  { operation, caller, parts }: { operation: Operation; caller: Caller; parts: ApiParts },
): Promise<Answer> {
  const { service, name } = operation;
  const { region, principal } = caller;
  const { account } = principal;
  if (service === "s3") {
    checkRights(principal, { service, rights: s3Rights(request) });
    return callS3(request, { caller, parts: parts.s3 });
  }
  const text = Buffer.from(request.body).toString("utf8");
  const input = service === "sts" ? Object.fromEntries(new URLSearchParams(text)) : readInput(text);
  checkRights(principal, { service, rights: apiRights({ service, name, input, account, region }) });
  if (service === "sts") {
    const result = callSts(new URLSearchParams(text), { caller, principals: parts.principals, now: parts.clock() });
    const inner = `<${name}Result>${result}</${name}Result><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>`;
    const body = `<${name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${inner}</${name}Response>`;
    return { status: 200, headers: { "content-type": "text/xml" }, body };
  }
  const call = { store: parts.store, input, region, account };
  if (service === "ecr") return json(await callEcr(name, { input, caller, parts: parts.ecr }));
  if (service === "secretsmanager") return json(callSecretsManager(name, call));
  if (service === "ssm") return json(callSsm(name, call));
  return json(await callCodeBuild(name, { input, caller, builds: parts.builds }));
}

function readInput(text: string): Readonly<Record<string, unknown>> {
  try {
    return (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  } catch {
    throw new AwsError("SerializationException", "The request's body is no JSON");
  }
}

function json(value: object, status = 200): Answer {
  return { status, headers: { "content-type": "application/x-amz-json-1.1" }, body: JSON.stringify(value) };
}

function refusal({ service }: Operation, error: AwsError): Answer {
  if (service === "s3") return s3Error(error);
  const { code, message, status } = error;
  if (service !== "sts") return json({ __type: code, message }, status);
  const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
  return { status, headers: { "content-type": "text/xml" }, body };
}
