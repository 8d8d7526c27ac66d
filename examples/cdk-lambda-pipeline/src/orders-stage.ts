// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import { Duration, Stack, Stage, type StageProps } from "aws-cdk-lib";
import { DockerImageFunction } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import { ImageRepository, LayerwiseImage } from "layerwise-cdk";

/** The build context. */
const directory = fileURLToPath(new URL("../image", import.meta.url));

/** One deployment of the function: a stack for the repository, and one for what runs from it. */
export class OrdersStage extends Stage {
  constructor(scope: Construct, id: string, props?: StageProps) {
    super(scope, id, props);
    const repository = new ImageRepository(new Stack(this, "Repository"), "Orders", {
      repositoryName: `orders-${id.toLowerCase()}`,
      floatingTags: ["latest"],
    });

    const stack = new Stack(this, "Function");
    const base = this.node.tryGetContext("baseImage") as string | undefined;
    const image = new LayerwiseImage(stack, "Image", {
      directory,
      repository,
      floatingTags: ["latest"],
      ...(base === undefined ? {} : { buildArgs: { BASE: base } }),
    });
    new DockerImageFunction(stack, "Orders", {
      code: image.toLambdaCode(),
      memorySize: 512,
      timeout: Duration.seconds(30),
    });
  }
}
