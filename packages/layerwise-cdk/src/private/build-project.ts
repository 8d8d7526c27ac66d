// SPDX-License-Identifier: Apache-2.0
import { Stack, Token } from "aws-cdk-lib";
import {
  type BuildEnvironmentVariable,
  type CommonProjectProps,
  type IProject,
  PipelineProject,
  Project,
} from "aws-cdk-lib/aws-codebuild";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { BuildCompute } from "../build-compute";
import { buildSpecOf, exportedVariables } from "./build-spec";
import { checkNode } from "./check-machine";
import { refusal } from "./refuse";

/** Regions with builds on AWS Lambda. https://docs.aws.amazon.com/codebuild/latest/userguide/lambda.html */
const lambdaRegions: ReadonlySet<string> = new Set([
  "ap-northeast-1",
  "ap-south-1",
  "ap-southeast-1",
  "ap-southeast-2",
  "eu-central-1",
  "eu-west-1",
  "sa-east-1",
  "us-east-1",
  "us-east-2",
  "us-west-2",
]);

/** What a project is made from. */
export interface BuildProjectOptions {
  readonly compute: BuildCompute;
  readonly commands: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly description: string;
  /** Whether the build is the usual recipe: it exports the tag only, and runs on images without a current Node.js. */
  readonly isClassic?: boolean;
  readonly projectName?: string;
  readonly encryptionKey?: IKey;
  readonly logGroup?: ILogGroup;
}

/** A project that is an action of a pipeline. */
export function actionProject(scope: Construct, id: string, options: BuildProjectOptions): PipelineProject {
  return new PipelineProject(scope, id, projectProps(scope, options));
}

/** A project that is started by another build, with a source of its own each time. */
export function startedProject(scope: Construct, id: string, options: BuildProjectOptions): IProject {
  return new Project(scope, id, projectProps(scope, options));
}

function projectProps(scope: Construct, options: BuildProjectOptions): CommonProjectProps {
  const {
    compute,
    commands,
    isClassic = false,
    variables,
    description,
    projectName,
    encryptionKey,
    logGroup,
  } = options;
  const { kind, environment, vpc, subnetSelection, securityGroups, timeout } = compute._settings;
  if (kind === "lambda") checkRegion(scope);
  if (!isClassic && environment.buildImage !== undefined) checkNode(environment.buildImage);
  const exported = isClassic ? ["LAYERWISE_TAG"] : exportedVariables;
  return {
    projectName,
    description: description.slice(0, 255),
    buildSpec: buildSpecOf(commands, { exported, needsRuntime: kind !== "lambda" && !isClassic }),
    environment: { ...environment, environmentVariables: plain(variables) },
    // CodeBuild on AWS Lambda takes none of these.
    ...(kind === "lambda" ? {} : { vpc, subnetSelection, securityGroups, timeout }),
    encryptionKey,
    ...(logGroup === undefined ? {} : { logging: { cloudWatch: { logGroup } } }),
    grantReportGroupPermissions: false,
  };
}

function checkRegion(scope: Construct): void {
  const { region } = Stack.of(scope);
  if (Token.isUnresolved(region) || lambdaRegions.has(region)) return;
  throw refusal({
    what: `build on AWS Lambda in ${region}`,
    why: "CodeBuild does not have it there",
    fix: "give compute: BuildCompute.ec2() or, with an engine, BuildCompute.ec2({ privileged: true })",
  });
}

function plain(variables: Readonly<Record<string, string>>): Record<string, BuildEnvironmentVariable> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, { value }]));
}
