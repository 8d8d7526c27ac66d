// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { ShellStep } from "aws-cdk-lib/pipelines";
import { AwsCredentials, GitHubWorkflow } from "cdk-pipelines-github";
import { ImageBuilds } from "layerwise-cdk";
import { parse } from "yaml";
import { FunctionStage, type ImageProps } from "./app.ts";
import { completeJob } from "./github-workflow.ts";

/** The role that jobs have at AWS. */
export const gitHubActionRoleArn = "arn:aws:iam::111111111111:role/GitHubActionRole";

/** A job of a workflow. */
export interface Job {
  readonly needs: readonly string[];
  readonly permissions: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly {
    readonly id?: string;
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Readonly<Record<string, unknown>>;
  }[];
}

/** Synthesizes an app for GitHub into a folder, and gives the workflow's file: two stages, the second with a copy. */
export function synthWorkflow(
  folder: string,
  { env, image }: { readonly env: { readonly account: string; readonly region: string }; readonly image: ImageProps },
): string {
  const workflowPath = join(folder, ".github/workflows/deploy.yml");
  mkdirSync(join(folder, ".github/workflows"), { recursive: true });
  const app = new App({ outdir: join(folder, "cdk.out") });
  const awsCreds = AwsCredentials.fromOpenIdConnect({ gitHubActionRoleArn });
  const synth = new ShellStep("Synth", { commands: ["npx cdk synth"] });
  const workflow = new GitHubWorkflow(app, "Pipeline", { synth, workflowPath, awsCreds });
  const dev = new FunctionStage(app, "Dev", { env, image });
  const prod = new FunctionStage(app, "Prod", { env, image });
  const cloudAssembly = workflow.cloudAssemblyFileSet;
  workflow.addStage(dev, { stackSteps: ImageBuilds.stackSteps(dev, { cloudAssembly }) });
  workflow.addStage(prod, { stackSteps: ImageBuilds.promotionSteps(prod, { from: dev, cloudAssembly }) });
  for (const job of ["Dev-App-BuildImages", "Prod-App-PromoteImages"]) {
    completeJob(workflow, { job, region: env.region, credentials: awsCreds });
  }
  app.synth();
  return readFileSync(workflowPath, "utf8");
}

/** The jobs of a workflow by their names. */
export function jobsOf(workflow: string): Readonly<Record<string, Job>> {
  return (parse(workflow) as { jobs: Record<string, Job> }).jobs;
}
