// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attachCustomSynthesis, type ISynthesisSession } from "aws-cdk-lib";
import { Construct } from "constructs";
import { type ImagePlan, planFileName, runnerFileName } from "./plan-file";
import { packagedRunner } from "./runner-paths";

/**
 * Writes an image's plan, and the program that reads it, into the cloud assembly of its stage.
 *
 * The pipeline hands the assembly on to the build, so the build needs no package registry and no bucket, and neither a
 * changed image nor another version of layerwise changes the pipeline's own template.
 */
export class ImagePlanFile extends Construct {
  public constructor(scope: Construct, id: string, plan: () => ImagePlan) {
    super(scope, id);
    const name = planFileName(scope.node.addr);
    attachCustomSynthesis(this, {
      onSynthesize: ({ outdir }: ISynthesisSession) => {
        writeFileSync(join(outdir, name), `${JSON.stringify(plan(), undefined, 2)}\n`);
        const copy = join(outdir, runnerFileName);
        if (!existsSync(copy)) copyFileSync(packagedRunner, copy);
      },
    });
  }
}
