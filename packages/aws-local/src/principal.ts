// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import type { Policy } from "./rights/policy.ts";
import type { Trust } from "./rights/trust.ts";

/** Credentials as AWS hands them out. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** With temporary credentials only. */
  readonly sessionToken?: string | undefined;
}

/** Whoever signs with a key. */
export interface Principal {
  readonly key: AccessKey;
  /** Twelve digits. */
  readonly account: string;
  /** The principal's ARN. */
  readonly arn: string;
  /** The unique id that STS tells. */
  readonly id: string;
  /** Milliseconds since 1970; undefined for a key that does not expire. */
  readonly expires?: number | undefined;
  /** What a role may do; users may do everything. */
  readonly policy?: Policy | undefined;
}

/** A role whose rights are known. */
export interface KnownRole {
  readonly policy: Policy;
  /** Undefined: everybody may assume it. */
  readonly trust: Trust | undefined;
}

/** The keys that are known. */
export interface Principals {
  find(accessKeyId: string): Principal | undefined;
  /** Adds a user of an account, with a key that does not expire. */
  addUser(account: string, name: string): Principal;
  /** Notes what a role may do, and who may assume it; one that is not known may do everything, for everybody. */
  addRole(arn: string, role: KnownRole): void;
  /** Who may assume a role; undefined: everybody. */
  trustOf(arn: string): Trust | undefined;
  /** Temporary credentials of a role. */
  assume(role: {
    readonly account: string;
    readonly role: string;
    readonly session: string;
    readonly expires: number;
  }): Principal;
}

/** Starts without any key. */
export function createPrincipals(): Principals {
  const known = new Map<string, Principal>();
  const roles = new Map<string, KnownRole>();
  const add = (principal: Principal) => {
    known.set(principal.key.accessKeyId, principal);
    return principal;
  };
  return {
    find: (accessKeyId) => known.get(accessKeyId),
    addUser: (account, name) =>
      add({
        key: { accessKeyId: `AKIA${letters(16)}`, secretAccessKey: randomBytes(30).toString("base64") },
        account,
        arn: `arn:aws:iam::${account}:user/${name}`,
        id: `AIDA${letters(17)}`,
      }),
    addRole: (arn, role) => void roles.set(arn, role),
    trustOf: (arn) => roles.get(arn)?.trust,
    assume: ({ account, role, session, expires }) =>
      add({
        key: {
          accessKeyId: `ASIA${letters(16)}`,
          secretAccessKey: randomBytes(30).toString("base64"),
          sessionToken: randomBytes(96).toString("base64"),
        },
        account,
        arn: `arn:aws:sts::${account}:assumed-role/${role}/${session}`,
        id: `AROA${letters(17)}:${session}`,
        expires,
        policy: roles.get(`arn:aws:iam::${account}:role/${role}`)?.policy,
      }),
  };
}

/** Capital letters and digits as in AWS's ids. */
function letters(length: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length]).join("");
}
