// SPDX-License-Identifier: Apache-2.0
import { AwsLocalError } from "../error.ts";
import type { PolicyDocument } from "./policy.ts";

/** Who asks for the credentials of a role. */
export interface Assumption {
  /** The account of whoever asks, twelve digits. */
  readonly account: string;
  /** Undefined if none was given. */
  readonly externalId: string | undefined;
}

/** Who may assume a role. */
export interface Trust {
  allows(assumption: Assumption): boolean;
}

const known: ReadonlySet<string> = new Set(["Sid", "Effect", "Action", "Principal", "Condition"]);

/**
 * Reads a trust policy that names accounts, with or without external ids.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
 *
 * @throws {AwsLocalError} for what would have to be evaluated and is not
 */
export function readTrust({ Statement }: PolicyDocument): Trust {
  const statements = Statement.map(readStatement);
  return { allows: (assumption) => statements.some((allows) => allows(assumption)) };
}

function readStatement(statement: Readonly<Record<string, unknown>>): (assumption: Assumption) => boolean {
  const { Effect, Action, Principal, Condition = {} } = statement;
  const other = Object.keys(statement).find((name) => !known.has(name));
  if (other !== undefined || Effect !== "Allow" || Action !== "sts:AssumeRole") throw unread(other ?? "a statement");
  const [, account] = /^(?:arn:aws:iam::)?(\d{12})(?::root)?$/.exec(String((Principal as { AWS?: unknown }).AWS)) ?? [];
  if (account === undefined) throw unread(`the principal ${JSON.stringify(Principal)}`);
  const { StringEquals = {}, ...others } = Condition as { StringEquals?: Record<string, unknown> };
  const { "sts:ExternalId": externalId, ...rest } = StringEquals;
  const [condition] = [...Object.keys(others), ...Object.keys(rest)];
  if (condition !== undefined) throw unread(`the condition ${condition}`);
  return (asked) => asked.account === account && (externalId === undefined || asked.externalId === externalId);
}

function unread(what: string): AwsLocalError {
  return new AwsLocalError(`could not read a trust policy: ${what} is not there in this stand-in`);
}
