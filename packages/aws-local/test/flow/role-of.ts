// SPDX-License-Identifier: Apache-2.0
import { resolveIntrinsics, type Template, type TemplateValues } from "codebuild-local";
import type { AwsLocal, PolicyDocument } from "../../src/index.ts";

/** A template with what only AWS knows of it. */
export interface RoleScope {
  readonly template: Template;
  readonly values: TemplateValues;
}

/** The role that a project of a template builds with: its name, and all policies that the template gives it. */
export function roleOf(project: string, scope: RoleScope): { name: string; policies: readonly PolicyDocument[] } {
  const resources = scope.template.Resources ?? {};
  const { ServiceRole: role } = resources[project]?.Properties ?? {};
  const [name] = (role as { "Fn::GetAtt": [string, string] })["Fn::GetAtt"];
  const policies = Object.values(resources)
    .filter(
      ({ Type, Properties }) =>
        Type === "AWS::IAM::Policy" && JSON.stringify(Properties?.["Roles"]).includes(`"${name}"`),
    )
    .map(({ Properties }) => resolveIntrinsics(Properties?.["PolicyDocument"], scope) as PolicyDocument);
  if (policies.length === 0) throw new Error(`the role ${name} of ${project} has no policies`);
  return { name, policies };
}

/** ARNs of a template's keys, which only AWS knows. */
export function keysOf({ Resources = {} }: Template, { account, region }: AwsLocal): Readonly<Record<string, string>> {
  const keys = Object.entries(Resources).filter(([, { Type }]) => Type === "AWS::KMS::Key");
  return Object.fromEntries(keys.map(([id]) => [`${id}.Arn`, `arn:aws:kms:${region}:${account}:key/${id}`]));
}
