// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImagePlan } from "../src/private/plan-file.ts";
import type { CommandLine } from "./command-line.ts";
import type { OutputFiles } from "./outputs.ts";
import { RunnerError } from "./runner-error.ts";
import type { Settings } from "./settings.ts";

/** What every command has around it. */
export interface Running extends OutputFiles {
  readonly settings: Settings;
  readonly cli: CommandLine;
  /** The folder of the cloud assembly. */
  readonly assembly: string;
  /** The folder of the source. */
  readonly source: string;
}

/** Reads the plan of an image out of the cloud assembly. */
export async function readPlan(path: string, { assembly }: Pick<Running, "assembly">): Promise<ImagePlan> {
  let plan: ImagePlan;
  try {
    plan = JSON.parse(await readFile(join(assembly, path), "utf8")) as ImagePlan;
  } catch (cause) {
    throw new RunnerError(`could not read the plan ${path} of an image: ${(cause as Error).message}`, {
      cause,
      hint: "give the step cloudAssembly: pipeline.cloudAssemblyFileSet, of the app that the image is in",
    });
  }
  if (plan.version === 1) return plan;
  throw new RunnerError(`could not read the plan ${path}: its version is ${plan.version}`, {
    hint: "synthesize and build with the same version of layerwise-cdk",
  });
}
