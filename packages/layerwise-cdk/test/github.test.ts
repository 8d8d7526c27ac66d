// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { ShellStep } from "aws-cdk-lib/pipelines";
import { AwsCredentials, GitHubWorkflow } from "cdk-pipelines-github";
import { ImageBuilds } from "layerwise-cdk";
import { beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { FunctionStage } from "./app.ts";
import { goodContext, makeSharedFolder, writeFiles } from "./context.ts";
import { completeJob } from "./github-workflow.ts";

const env = { account: "111111111111", region: "eu-west-1" };
const gitHubActionRoleArn = "arn:aws:iam::111111111111:role/GitHubActionRole";

interface Job {
  readonly needs: readonly string[];
  readonly permissions: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly {
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Readonly<Record<string, unknown>>;
  }[];
}

/** Synthesizes an app for GitHub into a folder, and gives the workflow's file. */
function synth(folder: string, directory: string): string {
  const workflowPath = join(folder, ".github/workflows/deploy.yml");
  mkdirSync(join(folder, ".github/workflows"), { recursive: true });
  const app = new App({ outdir: join(folder, "cdk.out") });
  const awsCreds = AwsCredentials.fromOpenIdConnect({ gitHubActionRoleArn });
  const synth = new ShellStep("Synth", { commands: ["npx cdk synth"] });
  const workflow = new GitHubWorkflow(app, "Pipeline", { synth, workflowPath, awsCreds });
  const dev = new FunctionStage(app, "Dev", { env, image: { directory } });
  const prod = new FunctionStage(app, "Prod", { env, image: { directory } });
  const cloudAssembly = workflow.cloudAssemblyFileSet;
  workflow.addStage(dev, { stackSteps: ImageBuilds.stackSteps(dev, { cloudAssembly }) });
  workflow.addStage(prod, { stackSteps: ImageBuilds.promotionSteps(prod, { from: dev, cloudAssembly }) });
  for (const job of ["Dev-App-BuildImages", "Prod-App-PromoteImages"]) {
    completeJob(workflow, { job, region: env.region, credentials: awsCreds });
  }
  app.synth();
  return readFileSync(workflowPath, "utf8");
}

function jobsOf(workflow: string): Readonly<Record<string, Job>> {
  return (parse(workflow) as { jobs: Record<string, Job> }).jobs;
}

/** All that a job waits for, directly or not. */
function before(jobs: Readonly<Record<string, Job>>, name: string): ReadonlySet<string> {
  const { needs = [] } = jobs[name] ?? {};
  return new Set(needs.flatMap((one) => [one, ...before(jobs, one)]));
}

let first: string;
let jobs: Readonly<Record<string, Job>>;
const folder = makeSharedFolder();
const directory = join(folder, "image");

beforeAll(() => {
  mkdirSync(join(folder, ".git"));
  writeFiles(directory, goodContext);
  first = synth(folder, directory);
  jobs = jobsOf(first);
});

it("is a job of a workflow at GitHub, between the stack of the repository and the one that uses the image", () => {
  const order = ["Dev-Repository-Deploy", "Dev-App-BuildImages", "Dev-App-Deploy"];
  const promotion = ["Dev-App-Deploy", "Prod-Repository-Deploy", "Prod-App-PromoteImages", "Prod-App-Deploy"];
  for (const chain of [order, promotion]) {
    for (const [index, name] of chain.entries()) {
      const [waited, next = name] = [before(jobs, name), chain[index + 1]];
      expect([...waited]).toEqual(expect.arrayContaining(chain.slice(0, index)));
      expect(waited).not.toContain(next);
    }
  }
  expect(before(jobs, "Dev-App-BuildImages")).toContain("Build-Synth");
});

it("has in that job the source, the assembly and a role by OpenID Connect, and nothing else", () => {
  const uploaded = jobs["Build-Synth"]?.steps.find(({ uses }) => uses?.startsWith("actions/upload-artifact@"));
  const { permissions, env: variables, steps = [] } = jobs["Dev-App-BuildImages"] ?? {};
  const [checkout, role, assembly, build] = steps;
  expect(permissions).toEqual({ contents: "read", "id-token": "write" });
  expect(variables).toEqual({ LAYERWISE_ACCOUNT: env.account, LAYERWISE_REGION: env.region });
  expect(steps).toHaveLength(4);
  expect(checkout?.uses).toMatch(/^actions\/checkout@/);
  expect(role?.with).toMatchObject({ "role-to-assume": gitHubActionRoleArn, "aws-region": env.region });
  expect(assembly?.uses).toMatch(/^actions\/download-artifact@/);
  expect(assembly?.with).toEqual({ name: uploaded?.with?.["name"], path: ".layerwise-assembly" });
  expect(build?.run).toMatch(
    /^node \.layerwise-assembly\/assembly-Dev\/layerwise-build\.mjs build --assembly \.layerwise-assembly --source \. assembly-Dev\/layerwise-image-[0-9a-f]{42}\.json --outputs "\$LAYERWISE_OUTPUTS"$/m,
  );
  expect(jobs["Prod-App-PromoteImages"]?.permissions).toEqual(permissions);
});

it("keeps the workflow as it is when only an image's source changes", () => {
  writeFiles(directory, { "src/app.py": "print(2)\n" });

  const second = synth(folder, directory);

  expect(second).toBe(first);
});

it("has the patch of the workflow in its documentation", () => {
  const [, code = ""] =
    /^(import .*)/ms.exec(readFileSync(new URL("./github-workflow.ts", import.meta.url), "utf8")) ?? [];
  const page = readFileSync(new URL("../../../docs/cdk.md", import.meta.url), "utf8");

  expect(page).toContain(code);
});
