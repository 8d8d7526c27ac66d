// SPDX-License-Identifier: Apache-2.0
import { Stack, type StackProps } from "aws-cdk-lib";
import { Repository } from "aws-cdk-lib/aws-codecommit";
import { CodePipeline, CodePipelineSource, ManualApprovalStep, ShellStep } from "aws-cdk-lib/pipelines";
import type { Construct } from "constructs";
import { ImageBuilds } from "layerwise-cdk";
import { OrdersStage } from "./orders-stage.ts";

/** Source → synth → self-mutation → Dev: repository → image → function → Prod: repository → same image → function. */
export class PipelineStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const source = CodePipelineSource.codeCommit(Repository.fromRepositoryName(this, "Source", "orders"), "main");
    const pipeline = new CodePipeline(this, "Pipeline", {
      synth: new ShellStep("Synth", {
        input: source,
        commands: ["npm ci", "npm run build", "npx cdk synth"],
        primaryOutputDirectory: "cdk.out",
      }),
    });
    const cloudAssembly = pipeline.cloudAssemblyFileSet;

    const dev = new OrdersStage(this, "Dev");
    pipeline.addStage(dev, { stackSteps: ImageBuilds.stackSteps(dev, { source, cloudAssembly }) });

    const prod = new OrdersStage(this, "Prod");
    pipeline.addStage(prod, {
      pre: [new ManualApprovalStep("Release")],
      stackSteps: ImageBuilds.promotionSteps(prod, { from: dev, cloudAssembly }),
    });
  }
}
