// SPDX-License-Identifier: Apache-2.0
import type { ImagePlan } from "../src/private/plan-file.ts";
import { openDestination } from "./destination.ts";
import { imageBytes } from "./image-index.ts";
import { checkForLambda } from "./lambda-manifest.ts";
import { logIn } from "./login.ts";
import { type Outcome, writeOutputs } from "./outputs.ts";
import { RunnerError } from "./runner-error.ts";
import { type Running, readPlan } from "./running.ts";

/** Copies images by digest: the plans are pairs, of the image that was built and of the one that it becomes. */
export async function promoteCommand(paths: readonly string[], running: Running): Promise<void> {
  const outcomes: Outcome[] = [];
  for (let index = 0; index + 1 < paths.length; index += 2) {
    const from = await readPlan(paths[index] as string, running);
    const to = await readPlan(paths[index + 1] as string, running);
    outcomes.push(await promote({ from, to }, running));
  }
  await writeOutputs(running, outcomes);
}

async function promote({ from, to }: { from: ImagePlan; to: ImagePlan }, running: Running): Promise<Outcome> {
  const { settings, cli } = running;
  const source = await openDestination({ repository: from.repository, role: from.publishRole }, settings);
  const target = await openDestination({ repository: to.repository, role: to.publishRole }, settings);
  const found = await source.find(from.tag);
  if (found === undefined) {
    throw new RunnerError(`could not promote ${from.path}: ${source.reference}:${from.tag} is not there`, {
      hint: "run the step that builds it before this one",
    });
  }
  checkForLambda(to, found);
  const { digest } = found;
  const tags: string[] = [];
  for (const tag of [to.tag, ...to.floatingTags]) if ((await target.find(tag))?.digest !== digest) tags.push(tag);
  if (tags.length > 0) {
    process.stdout.write(`promoting ${source.reference}@${digest} to ${target.reference} as ${tags.join(", ")}\n`);
    const env = await logIn([source, target], running);
    const args = ["copy", `${source.reference}@${digest}`, target.reference, ...tags.flatMap((tag) => ["-t", tag])];
    const { exitCode } = await cli.call(args, { env });
    if (exitCode !== 0) {
      throw new RunnerError(`could not promote ${from.path}: layerwise ended with exit code ${exitCode}`, { exitCode });
    }
  }
  const reusedBytes = await imageBytes(found, { plan: from, destination: source });
  return { tag: to.tag, digest, reusedBytes, engineUsed: false };
}
