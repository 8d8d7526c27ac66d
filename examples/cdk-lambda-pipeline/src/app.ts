// SPDX-License-Identifier: Apache-2.0
import { App } from "aws-cdk-lib";
import { PipelineStack } from "./pipeline-stack.ts";

const app = new App();
new PipelineStack(app, "OrdersPipeline");
