// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import type { Principal } from "../principal.ts";

/** Passwords for registries, as GetAuthorizationToken hands them out. */
export interface RegistryTokens {
  /** A new password for the registries of a Region; who has it may do what the one may who asked for it. */
  issue(region: string, principal: Principal): { readonly password: string; readonly expires: number };
  /** Whose password an Authorization field has, if it opens the registries of a Region. */
  holder(authorization: string | undefined, region: string): Principal | undefined;
}

/** Milliseconds. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html */
const lifetime = 12 * 3_600_000;

/** @param clock milliseconds since 1970 */
export function createTokens(clock: () => number): RegistryTokens {
  const issued = new Map<string, { region: string; expires: number; principal: Principal }>();
  return {
    issue(region, principal) {
      const password = randomBytes(24).toString("base64url");
      const expires = clock() + lifetime;
      issued.set(password, { region, expires, principal });
      return { password, expires };
    },
    holder(authorization, region) {
      const [, pair = ""] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "") ?? [];
      const [, password = ""] = /^AWS:(.+)$/s.exec(Buffer.from(pair, "base64").toString("utf8")) ?? [];
      const token = issued.get(password);
      return token?.region === region && clock() < token.expires ? token.principal : undefined;
    },
  };
}
