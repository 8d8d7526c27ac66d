// SPDX-License-Identifier: Apache-2.0
import { buildImage } from "./build-image.ts";
import { openDestination } from "./destination.ts";
import { openHandOver } from "./hand-over-package.ts";
import { logIn } from "./login.ts";
import { writeOutputs } from "./outputs.ts";
import { RunnerError } from "./runner-error.ts";
import type { Running } from "./running.ts";

/** Builds what a build without an engine has handed over, with the engine of this machine. */
export async function continueCommand(running: Running): Promise<void> {
  const { settings, cli } = running;
  const { order, directory } = await openHandOver(running.source, cli.folder);
  const { plan, platform } = order;
  const destination = await openDestination({ repository: plan.repository, role: plan.publishRole }, settings);
  const env = await logIn([destination], running);
  const outcome = await buildImage({ plan, platform, directory, destination }, running, env);
  if (outcome === undefined) {
    throw new RunnerError(`could not build ${plan.path}: this project has no engine either`, {
      hint: "let the fallback's machine be privileged",
    });
  }
  await writeOutputs(running, [outcome]);
}
