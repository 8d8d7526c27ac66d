// SPDX-License-Identifier: Apache-2.0
import { AwsLocalError } from "../error.ts";

/** A policy document of IAM. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html */
export interface PolicyDocument {
  readonly Statement: readonly Readonly<Record<string, unknown>>[];
}

/** One thing that is done, to one resource. */
export interface Right {
  /** As `ecr:PutImage`. */
  readonly action: string;
  /** An ARN, or `*` where the action knows no resource. */
  readonly resource: string;
}

interface Statement {
  readonly isAllowed: boolean;
  readonly actions: readonly RegExp[];
  readonly resources: readonly RegExp[];
}

/** What identity-based policies allow. */
export interface Policy {
  allows(right: Right): boolean;
}

const known: ReadonlySet<string> = new Set(["Sid", "Effect", "Action", "Resource"]);

/**
 * Reads policies: what is denied is denied, and what no statement allows as well.
 *
 * @throws {AwsLocalError} for an element that would have to be evaluated and is not, as a condition
 */
export function readPolicy(documents: readonly PolicyDocument[]): Policy {
  const statements = documents.flatMap(({ Statement }) => Statement.map(readStatement));
  return {
    allows: ({ action, resource }) => {
      const fitting = statements.filter(
        ({ actions, resources }) =>
          // Actions are compared without case, resources with it.
          actions.some((one) => one.test(action.toLowerCase())) && resources.some((one) => one.test(resource)),
      );
      return fitting.length > 0 && fitting.every(({ isAllowed }) => isAllowed);
    },
  };
}

function readStatement(statement: Readonly<Record<string, unknown>>): Statement {
  const other = Object.keys(statement).find((name) => !known.has(name));
  if (other !== undefined) throw new AwsLocalError(`could not read a policy: ${other} is not there in this stand-in`);
  return {
    isAllowed: statement["Effect"] === "Allow",
    actions: listOf(statement["Action"]).map((one) => patternOf(one.toLowerCase())),
    resources: listOf(statement["Resource"]).map(patternOf),
  };
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

function patternOf(text: string): RegExp {
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s");
}
