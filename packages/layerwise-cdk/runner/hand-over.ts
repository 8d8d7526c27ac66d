// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { BatchGetBuildsCommand, type Build, CodeBuildClient, StartBuildCommand } from "@aws-sdk/client-codebuild";
import { DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type PlatformBuild, platformTag } from "./build-image.ts";
import { packHandOver } from "./hand-over-package.ts";
import type { Outcome } from "./outputs.ts";
import { awsText, RunnerError } from "./runner-error.ts";
import type { Running } from "./running.ts";

/** Milliseconds between two questions whether a build has ended. */
const pollInterval = 5000;

/** When this process began: what it may wait counts from there. */
const began = performance.now();

/**
 * Has a project with an engine build one image, and waits for it.
 *
 * The project gets the build context as an object in the pipeline's artifact bucket, which is removed in the end.
 */
export async function handOver(build: PlatformBuild, { settings, cli }: Running): Promise<Outcome> {
  const { plan, platform, directory, destination } = build;
  const project = settings.fallbacks.get(platform.split("/")[1] as string);
  if (project === undefined || settings.handOver === undefined) {
    throw new RunnerError(`could not build ${plan.path} for ${platform}: it needs an engine, and there is none`, {
      exitCode: 3,
      hint: "give the step engineFallback: EngineFallback.ec2(), or compute: BuildCompute.ec2({ privileged: true })",
    });
  }
  const { bucket, prefix } = settings.handOver;
  const key = `${prefix}/${randomUUID()}.zip`;
  const { region } = settings;
  const s3 = new S3Client({ region });
  const packed = await packHandOver({ plan, platform, directory }, cli.folder);
  try {
    const size = (await stat(packed)).size;
    process.stdout.write(`handing ${plan.path} over to ${project}, which has an engine: ${size} bytes\n`);
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: createReadStream(packed), ContentLength: size }),
    );
    const ended = await startAndWait({ project, source: `${bucket}/${key}` }, settings);
    const found = await destination.find(platformTag(plan, platform));
    if (found === undefined) throw new Error(`the tag ${platformTag(plan, platform)} is not there`);
    const reused = Number(exportedBy(ended, "LAYERWISE_REUSED_BYTES") ?? 0);
    return { tag: plan.tag, digest: found.digest, reusedBytes: reused, engineUsed: true };
  } catch (cause) {
    if (cause instanceof RunnerError) throw cause;
    throw new RunnerError(`could not hand ${plan.path} over to ${project}: ${awsText(cause)}`, { cause, exitCode: 3 });
  } finally {
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })).catch((error) => {
      process.stderr.write(`warning: could not remove s3://${bucket}/${key}: ${awsText(error)}\n`);
    });
  }
}

async function startAndWait(
  { project, source }: { project: string; source: string },
  { region, handOverWait }: Running["settings"],
): Promise<Build> {
  const codebuild = new CodeBuildClient({ region });
  const request = { projectName: project, sourceTypeOverride: "S3", sourceLocationOverride: source } as const;
  const { build: started } = await codebuild.send(new StartBuildCommand(request));
  const id = started?.id;
  if (id === undefined) throw new Error("AWS CodeBuild answered without a build");
  process.stdout.write(`started ${id}\n`);
  for (;;) {
    const { builds = [] } = await codebuild.send(new BatchGetBuildsCommand({ ids: [id] }));
    const [build] = builds;
    if (build?.buildStatus === "SUCCEEDED") return build;
    if (build?.buildStatus !== undefined && build.buildStatus !== "IN_PROGRESS") throw failed(project, build);
    if (performance.now() - began > handOverWait) throw tooLong(project, id);
    await sleep(pollInterval);
  }
}

function failed(project: string, { id, buildStatus, phases = [], logs }: Build): RunnerError {
  const why = phases.flatMap(({ contexts = [] }) => contexts.map(({ message }) => message)).find(Boolean);
  return new RunnerError(
    `the build ${id} of ${project} ended as ${buildStatus}${why === undefined ? "" : `: ${why}`}`,
    {
      hint: logs?.deepLink === undefined ? "see the log of that build" : `see ${logs.deepLink}`,
    },
  );
}

/** The fallback is left alone; it has read its source. A retry finds the image, or the checkpoints. */
function tooLong(project: string, id: string): RunnerError {
  return new RunnerError(`could not wait for ${id} of ${project} any longer: AWS Lambda ends this build first`, {
    hint: "retry the step when that build has ended: it finds the image. If builds are always this long, use compute: BuildCompute.ec2({ privileged: true })",
  });
}

function exportedBy({ exportedEnvironmentVariables = [] }: Build, variable: string): string | undefined {
  return exportedEnvironmentVariables.find(({ name }) => name === variable)?.value;
}
