// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "../error.ts";
import type { Principal } from "../principal.ts";
import type { Right } from "./policy.ts";

/** The first of these rights that somebody does not have, in IAM's words. Users have all. */
export function denialOf(
  { arn, policy }: Pick<Principal, "arn" | "policy">,
  rights: readonly Right[],
): string | undefined {
  const missing = policy && rights.find((right) => !policy.allows(right));
  if (missing === undefined) return undefined;
  const { action, resource } = missing;
  const why = `because no identity-based policy allows the ${action} action`;
  return `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
}

/** @throws {AwsError} as the service would answer */
export function checkRights(
  principal: Principal,
  { service, rights }: { service: string; rights: readonly Right[] },
): void {
  const message = denialOf(principal, rights);
  if (message === undefined) return;
  const isJson = service !== "s3" && service !== "sts";
  throw new AwsError(isJson ? "AccessDeniedException" : "AccessDenied", message, isJson ? 400 : 403);
}
