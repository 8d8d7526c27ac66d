// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "./error.ts";
import type { Principals } from "./principal.ts";
import type { Caller } from "./signature.ts";

/** Answers a call of STS's query API with the XML inside its result element. */
export function callSts(
  input: URLSearchParams,
  { caller, principals, now }: { readonly caller: Caller; readonly principals: Principals; readonly now: number },
): string {
  const action = input.get("Action");
  if (action === "GetCallerIdentity") {
    const { arn, id, account } = caller.principal;
    return `<Arn>${arn}</Arn><UserId>${id}</UserId><Account>${account}</Account>`;
  }
  if (action !== "AssumeRole") throw new AwsError("InvalidAction", `Could not find operation ${action}`);
  const given = input.get("RoleArn") ?? "";
  const [, account = "", role = ""] = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([\w+=,.@-]+)$/.exec(given) ?? [];
  const session = input.get("RoleSessionName") ?? "";
  if (role === "" || !/^[\w+=,.@-]{2,64}$/.test(session)) {
    throw new AwsError("ValidationError", `RoleArn or RoleSessionName is invalid: ${given} ${session}`);
  }
  const asked = { account: caller.principal.account, externalId: input.get("ExternalId") ?? undefined };
  if (principals.trustOf(`arn:aws:iam::${account}:role/${role}`)?.allows(asked) === false) {
    const message = `User: ${caller.principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${given}`;
    throw new AwsError("AccessDenied", message, 403);
  }
  const expires = now + Number(input.get("DurationSeconds") ?? 3600) * 1000;
  const { key, arn, id } = principals.assume({ account, role, session, expires });
  return (
    `<Credentials><AccessKeyId>${key.accessKeyId}</AccessKeyId><SecretAccessKey>${key.secretAccessKey}</SecretAccessKey>` +
    `<SessionToken>${key.sessionToken}</SessionToken><Expiration>${new Date(expires).toISOString()}</Expiration></Credentials>` +
    `<AssumedRoleUser><Arn>${arn}</Arn><AssumedRoleId>${id}</AssumedRoleId></AssumedRoleUser>`
  );
}
