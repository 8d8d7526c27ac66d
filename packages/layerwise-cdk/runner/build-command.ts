// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { ImagePlan } from "../src/private/plan-file.ts";
import { buildImage, type PlatformBuild } from "./build-image.ts";
import { type Destination, openDestination } from "./destination.ts";
import { handOver } from "./hand-over.ts";
import { imageBytes, writeIndex } from "./image-index.ts";
import { checkForLambda } from "./lambda-manifest.ts";
import { logIn } from "./login.ts";
import { type Outcome, writeOutputs } from "./outputs.ts";
import { RunnerError } from "./runner-error.ts";
import { type Running, readPlan } from "./running.ts";

interface Opened {
  readonly plan: ImagePlan;
  readonly destination: Destination;
}

/**
 * Builds the images of these plans: those whose tag is not there yet.
 *
 * What needs an engine that this machine has not is handed over to a project that has one; the platforms of an image at
 * once.
 */
export async function buildCommand(paths: readonly string[], running: Running): Promise<void> {
  const { settings } = running;
  const outcomes: Outcome[] = [];
  for (const path of paths) {
    const plan = await readPlan(path, running);
    checkCommit(plan, settings.commitId);
    const { repository, publishRole: role } = plan;
    const opened = { plan, destination: await openDestination({ repository, role }, settings) };
    outcomes.push((await reuseImage(opened, running)) ?? (await makeImage(opened, running)));
  }
  await writeOutputs(running, outcomes);
}

/** An image whose tag is there is the image: it needs one request, and one more for each tag that follows it. */
async function reuseImage({ plan, destination }: Opened, running: Running): Promise<Outcome | undefined> {
  const found = await destination.find(plan.tag);
  if (found === undefined) return undefined;
  checkForLambda(plan, found);
  const { digest } = found;
  process.stdout.write(`${plan.path} is there: ${destination.reference}:${plan.tag} is ${digest}\n`);
  const behind: string[] = [];
  for (const tag of plan.floatingTags) if ((await destination.find(tag))?.digest !== digest) behind.push(tag);
  if (behind.length > 0) {
    const env = await logIn([destination], running);
    const { reference } = destination;
    const tags = behind.flatMap((tag) => ["-t", tag]);
    const { exitCode } = await running.cli.call(["copy", `${reference}@${digest}`, reference, ...tags], { env });
    if (exitCode !== 0) throw new RunnerError(`could not move ${behind.join(", ")} to ${digest}`, { exitCode });
  }
  const reusedBytes = await imageBytes(found, { plan, destination });
  return { tag: plan.tag, digest, reusedBytes, engineUsed: false };
}

async function makeImage({ plan, destination }: Opened, running: Running): Promise<Outcome> {
  const env = await logIn([destination], running);
  const directory = join(running.source, plan.directory);
  const outcomes: Outcome[] = [];
  const needed: PlatformBuild[] = [];
  for (const platform of plan.platforms) {
    const build = { plan, platform, directory, destination };
    const outcome = await buildImage(build, running, env);
    if (outcome === undefined) needed.push(build);
    else outcomes.push(outcome);
  }
  outcomes.push(...(await Promise.all(needed.map((build) => handOver(build, running)))));
  const [only] = outcomes;
  if (plan.platforms.length === 1 && only !== undefined) {
    const pushed = plan.isForLambda === true ? await destination.find(plan.tag) : undefined;
    if (pushed !== undefined) checkForLambda(plan, pushed);
    return only;
  }
  return {
    tag: plan.tag,
    digest: await writeIndex(destination, plan),
    reusedBytes: outcomes.reduce((sum, { reusedBytes }) => sum + reusedBytes, 0),
    engineUsed: outcomes.some(({ engineUsed }) => engineUsed),
  };
}

/** A tag that names a commit must be the commit that is built. */
function checkCommit({ path, tag, tagKind }: ImagePlan, commitId: string | undefined): void {
  if (tagKind !== "commit" || commitId === tag) return;
  const isEmpty = commitId === undefined || commitId === "";
  throw new RunnerError(
    isEmpty
      ? `could not build ${path}: it is tagged with its commit, and LAYERWISE_COMMIT_ID is empty`
      : `could not build ${path}: it was synthesized for the commit ${tag}, and this is ${commitId}`,
    { hint: "give the synth step and the build step the same source.sourceAttribute('CommitId')" },
  );
}
