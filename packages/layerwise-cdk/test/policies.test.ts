// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type App, Stack, Validations } from "aws-cdk-lib";
import { Repository } from "aws-cdk-lib/aws-ecr";
import { AwsSolutionsChecks } from "cdk-nag";
import { ImagePublishRole } from "layerwise-cdk";
import { expect, it } from "vitest";
import { PipelineStack } from "../../../examples/cdk-lambda-pipeline/src/pipeline-stack.ts";
import { makeApp, pipelineStack } from "./app.ts";
import { makeContext } from "./context.ts";

/** Findings that stay, with the reason for each; `…` stands for names that CloudFormation makes. */
const acknowledged = {
  // CDK lets an action read its input artifacts with these.
  action: ["Action::s3:GetBucket*", "Action::s3:GetObject*", "Action::s3:List*", "Resource::…/*"],
  // The engine reads its source, an object whose name is new each time; CDK's read access has these.
  source: ["Action::s3:GetBucket*", "Action::s3:GetObject*", "Action::s3:List*", "Resource::…/layerwise/*"],
  handOver: ["Resource::…/layerwise/*"],
  // CDK lets a project use its key with these.
  key: ["Action::kms:GenerateDataKey*", "Action::kms:ReEncrypt*"],
  // ecr:GetAuthorizationToken knows no resource.
  token: ["Resource::*"],
  // The streams of the project's own log group.
  log: ["Resource::arn:…:log-group:/aws/codebuild/…:*"],
} as const;

/** What the rules may find in the role of something: the reasons by their names. */
function inRole(part: string, reasons: readonly (keyof typeof acknowledged)[]): readonly string[][] {
  return reasons.flatMap((reason) => acknowledged[reason].map((found) => [part, `IAM5[${found}]`]));
}

interface Violation {
  readonly ruleName?: string;
  readonly violatingConstructs: readonly { readonly constructPath: string }[];
}

/** What the rules find in the constructs that are ours: the project, and the rule. */
function findings(app: App): string[][] {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  // A finding is an error of the synthesis; the report is written before.
  expect(() => app.synth()).toThrow("AwsSolutions");
  const report = JSON.parse(readFileSync(join(app.outdir, "validation-report.json"), "utf8"));
  const violations = report.pluginReports.flatMap((one: { violations: Violation[] }) => one.violations) as Violation[];
  const found = violations.flatMap(({ ruleName = "", violatingConstructs }) =>
    violatingConstructs
      .filter(({ constructPath }) =>
        /BuildImages|PromoteImages|Publish|Repository\/(?:Images|Orders)|\/Image(?:\/|$)/.test(constructPath),
      )
      .map(({ constructPath }) => `${partOf(constructPath)} ${shortened(ruleName)}`),
  );
  return [...new Set(found)].map((text) => text.split(" "));
}

function partOf(path: string): string {
  const [, step, part] = /(BuildImages|PromoteImages)\/(\w+)/.exec(path) ?? [];
  return step === undefined ? path : `${step}/${part}`;
}

function shortened(rule: string): string {
  return rule
    .replace("AwsSolutions-", "")
    .replace(/arn:.*(?=:log-group)/, "arn:…")
    .replaceAll(/<[^>]*>/g, "…");
}

it("breaks no other rules of AWS Solutions than those that are acknowledged", () => {
  const app = makeApp();
  pipelineStack(app, { image: { directory: makeContext() } });

  expect(findings(app).sort()).toEqual(
    [
      ...inRole("BuildImages/Project", ["action", "handOver", "key", "token", "log"]),
      ...inRole("BuildImages/EngineAmd64", ["source", "key", "token", "log"]),
    ].sort(),
  );
});

it("breaks no others in the example either, whose second stage gets a copy", () => {
  const app = makeApp();
  new PipelineStack(app, "OrdersPipeline");

  // The example's pipeline has no key, as CDK makes it; a project encrypts with the key of its pipeline or of its step.
  const withoutKey = ["BuildImages/Project", "BuildImages/EngineAmd64", "PromoteImages/Project"];
  expect(findings(app).sort()).toEqual(
    [
      ...withoutKey.map((part) => [part, "CB4"]),
      ...inRole("BuildImages/Project", ["action", "handOver", "token", "log"]),
      ...inRole("BuildImages/EngineAmd64", ["source", "token", "log"]),
      ...inRole("PromoteImages/Project", ["action", "token", "log"]),
    ].sort(),
  );
});

it("lets a publish role do nothing but push to its repositories", () => {
  const app = makeApp();
  const stack = new Stack(app, "Registry", { env: { account: "222222222222", region: "eu-west-1" } });
  const repositories = [Repository.fromRepositoryName(stack, "Images", "app")];
  const names = { roleName: "publish-app", trustedAccount: "111111111111", externalId: "app" };
  new ImagePublishRole(stack, "Publish", { ...names, repositories });

  expect(findings(app)).toEqual(inRole("Registry/Publish/Role/DefaultPolicy/Resource", ["token"]));
});
