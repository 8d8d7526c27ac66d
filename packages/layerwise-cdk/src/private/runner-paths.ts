// SPDX-License-Identifier: Apache-2.0
import { relative, resolve, sep } from "node:path";
import { Stage } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { LayerwiseImage } from "../layerwise-image";
import { planFileName, runnerFileName } from "./plan-file";

/** The runner in the package, with the command line inside. */
export const packagedRunner = resolve(__dirname, "../../assets", runnerFileName);

/** The file of an image's plan, relative to the whole app's cloud assembly. */
export function planPath(image: LayerwiseImage): string {
  return inAssembly(image, planFileName(image.node.addr));
}

/** The runner's file beside it. */
export function runnerPath(image: LayerwiseImage): string {
  return inAssembly(image, runnerFileName);
}

function inAssembly(image: Construct, name: string): string {
  const stage = Stage.of(image);
  const app = image.node.root;
  const folder = stage === undefined || !Stage.isStage(app) ? "" : relative(app.outdir, stage.outdir);
  return [...(folder === "" ? [] : folder.split(sep)), name].join("/");
}
