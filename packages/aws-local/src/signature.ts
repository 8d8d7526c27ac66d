// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { AwsError } from "./error.ts";
import type { Principal, Principals } from "./principal.ts";

/** A request with Signature Version 4 in its Authorization field. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body as it was sent. */
  readonly body: Uint8Array;
}

/** Whom a request comes from, and what it was signed for. */
export interface Caller {
  readonly principal: Principal;
  readonly region: string;
  /** The name of the service in the credential scope, as `ecr`. */
  readonly service: string;
}

/** What a signature is checked against. */
export interface SignatureRules {
  readonly principals: Principals;
  /** Regions that may be signed for. */
  readonly regions: readonly string[];
  /** When temporary credentials are looked at, in milliseconds since 1970. */
  readonly now: number;
  /** The time by the clients' clock, which signs. */
  readonly signingTime: number;
}

/** Milliseconds that a request's date may be off. https://docs.aws.amazon.com/IAM/latest/UserGuide/signing-elements.html */
const longestSkew = 15 * 60_000;

const form =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})$/;

/**
 * Checks a signature by computing it anew: the key is known and has not expired, the date is about now, the Region is one
 * of ours, and path, query, signed fields and body are those that were signed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * @throws {AwsError} as AWS would answer
 */
export function checkSignature(
  request: SignedRequest,
  { principals, regions, now, signingTime }: SignatureRules,
): Caller {
  const authorization = fieldOf(request, "authorization");
  if (authorization === "") throw new AwsError("MissingAuthenticationToken", "Missing Authentication Token", 403);
  const match = form.exec(authorization);
  if (match === null)
    throw new AwsError("IncompleteSignature", "Authorization header is not one of Signature Version 4");
  const [, accessKeyId = "", day = "", region = "", service = "", names = "", signature = ""] = match;
  const principal = principals.find(accessKeyId);
  const token = fieldOf(request, "x-amz-security-token");
  if (principal === undefined || token !== (principal.key.sessionToken ?? "")) {
    const code =
      service === "s3"
        ? "InvalidAccessKeyId"
        : service === "sts"
          ? "InvalidClientTokenId"
          : "UnrecognizedClientException";
    throw new AwsError(code, "The security token included in the request is invalid.", 403);
  }
  if (principal.expires !== undefined && principal.expires <= now) {
    throw new AwsError("ExpiredTokenException", "The security token included in the request is expired", 403);
  }
  if (!regions.includes(region)) {
    throw invalid(service, `Credential should be scoped to a valid region, not '${region}'.`);
  }
  const date = fieldOf(request, "x-amz-date");
  const signedAt = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(signingTime - signedAt) <= longestSkew) || !date.startsWith(day)) {
    throw invalid(service, `Signature expired or not yet current: ${date}`);
  }
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical(request, names))].join("\n");
  const start: string | Buffer = `AWS4${principal.key.secretAccessKey}`;
  const key = scope.split("/").reduce<string | Buffer>((secret, part) => hmac(secret, part), start);
  if (!timingSafeEqual(hmac(key, toSign), Buffer.from(signature, "hex"))) {
    throw invalid(service, "The request signature we calculated does not match the signature you provided.");
  }
  return { principal, region, service };
}

function invalid(service: string, message: string): AwsError {
  const code = ["s3", "sts"].includes(service) ? "SignatureDoesNotMatch" : "InvalidSignatureException";
  return new AwsError(code, message, 403);
}

function canonical(request: SignedRequest, names: string): string {
  const [path = "/", query = ""] = request.target.split(/\?(.*)/s);
  const fields = names.split(";").map((name) => `${name}:${fieldOf(request, name).trim().replace(/ +/g, " ")}\n`);
  const parts = query
    .split("&")
    .filter((part) => part !== "")
    .map((part) => (part.includes("=") ? part : `${part}=`));
  // S3 signs the digest that it names, which may stand for a body that is signed otherwise or not at all.
  const payload = fieldOf(request, "x-amz-content-sha256") || sha256(request.body);
  if (/^[0-9a-f]{64}$/.test(payload) && payload !== sha256(request.body)) {
    throw new AwsError(
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  return [request.method, path, parts.sort().join("&"), fields.join(""), names, payload].join("\n");
}

function fieldOf({ headers }: SignedRequest, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : (value ?? []).join(",");
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}
