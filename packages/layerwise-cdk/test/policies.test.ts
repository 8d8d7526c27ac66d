// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { expect, it } from "vitest";
import { makeApp, pipelineStack } from "./app.ts";
import { makeContext } from "./context.ts";

/** Findings that stay, with the reason for each; `…` stands for names that CloudFormation makes. */
const acknowledged = [
  // CDK lets an action read its input artifacts with these.
  ["Project", "IAM5[Action::s3:GetBucket*]"],
  ["Project", "IAM5[Action::s3:GetObject*]"],
  ["Project", "IAM5[Action::s3:List*]"],
  ["Project", "IAM5[Resource::…/*]"],
  // The engine reads its source, an object whose name is new each time; CDK's read access has these.
  ["EngineAmd64", "IAM5[Action::s3:GetBucket*]"],
  ["EngineAmd64", "IAM5[Action::s3:GetObject*]"],
  ["EngineAmd64", "IAM5[Action::s3:List*]"],
  ["EngineAmd64", "IAM5[Resource::…/layerwise/*]"],
  ["Project", "IAM5[Resource::…/layerwise/*]"],
  // CDK lets a project use its key with these.
  ["EngineAmd64", "IAM5[Action::kms:GenerateDataKey*]"],
  ["EngineAmd64", "IAM5[Action::kms:ReEncrypt*]"],
  ["Project", "IAM5[Action::kms:GenerateDataKey*]"],
  ["Project", "IAM5[Action::kms:ReEncrypt*]"],
  // ecr:GetAuthorizationToken knows no resource.
  ["EngineAmd64", "IAM5[Resource::*]"],
  ["Project", "IAM5[Resource::*]"],
  // The streams of the project's own log group.
  ["EngineAmd64", "IAM5[Resource::arn:…:log-group:/aws/codebuild/…:*]"],
  ["Project", "IAM5[Resource::arn:…:log-group:/aws/codebuild/…:*]"],
];

interface Violation {
  readonly ruleName?: string;
  readonly violatingConstructs: readonly { readonly constructPath: string }[];
}

/** What the rules find in the constructs that are ours: the project, and the rule. */
function findings(app: App): string[][] {
  // A finding is an error of the synthesis; the report is written before.
  expect(() => app.synth()).toThrow("AwsSolutions");
  const report = JSON.parse(readFileSync(join(app.outdir, "validation-report.json"), "utf8"));
  const violations = report.pluginReports.flatMap((one: { violations: Violation[] }) => one.violations) as Violation[];
  const found = violations.flatMap(({ ruleName = "", violatingConstructs }) =>
    violatingConstructs
      .filter(({ constructPath }) => /BuildImages|Repository\/Images|App\/Image/.test(constructPath))
      .map(({ constructPath }) => `${partOf(constructPath)} ${shortened(ruleName)}`),
  );
  return [...new Set(found)].map((text) => text.split(" "));
}

function partOf(path: string): string {
  return /BuildImages\/(\w+)/.exec(path)?.[1] ?? path;
}

function shortened(rule: string): string {
  return rule
    .replace("AwsSolutions-", "")
    .replace(/arn:.*(?=:log-group)/, "arn:…")
    .replaceAll(/<[^>]*>/g, "…");
}

it("breaks no other rules of AWS Solutions than those that are acknowledged", () => {
  const app = makeApp();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  pipelineStack(app, { image: { directory: makeContext() } });

  expect(findings(app).sort()).toEqual([...acknowledged].sort());
});
