// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";

/** Passwords for registries, as GetAuthorizationToken hands them out. */
export interface RegistryTokens {
  /** A new password for the registries of a Region. */
  issue(region: string): { readonly password: string; readonly expires: number };
  /** Whether an Authorization field opens the registries of a Region. */
  accepts(authorization: string | undefined, region: string): boolean;
}

/** Milliseconds. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html */
const lifetime = 12 * 3_600_000;

/** @param clock milliseconds since 1970 */
export function createTokens(clock: () => number): RegistryTokens {
  const issued = new Map<string, { readonly region: string; readonly expires: number }>();
  return {
    issue(region) {
      const password = randomBytes(24).toString("base64url");
      const expires = clock() + lifetime;
      issued.set(password, { region, expires });
      return { password, expires };
    },
    accepts(authorization, region) {
      const [, pair = ""] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "") ?? [];
      const [, password = ""] = /^AWS:(.+)$/s.exec(Buffer.from(pair, "base64").toString("utf8")) ?? [];
      const token = issued.get(password);
      return token !== undefined && token.region === region && clock() < token.expires;
    },
  };
}
