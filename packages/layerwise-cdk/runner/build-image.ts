// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImagePlan } from "../src/private/plan-file.ts";
import type { Destination } from "./destination.ts";
import type { Outcome } from "./outputs.ts";
import { RunnerError } from "./runner-error.ts";
import type { Running } from "./running.ts";
import { openSecrets } from "./secrets.ts";

/** One image for one platform. */
export interface PlatformBuild {
  readonly plan: ImagePlan;
  readonly platform: string;
  /** The build context on this machine. */
  readonly directory: string;
  readonly destination: Destination;
}

/** The tag of one platform's image: the deployed one, unless that names an index. */
export function platformTag({ tag, platforms }: ImagePlan, platform: string): string {
  return platforms.length === 1 ? tag : `${tag}-${platform.split("/")[1]}`;
}

/** Builds and publishes; undefined if the build needs an engine and there is none, and then nothing was written. */
export async function buildImage(
  build: PlatformBuild,
  running: Running,
  env: Readonly<Record<string, string>>,
): Promise<Outcome | undefined> {
  const { plan, platform, destination } = build;
  const { cli, settings } = running;
  const report = join(cli.folder, "report.json");
  // Only a RUN reads secrets, and only an engine executes one.
  const secrets = settings.hasEngine ? await openSecrets(plan.secrets, settings) : { flags: [], env: {} };
  const lock = await writeLock(plan, cli.folder);
  const args = [...buildArguments(build, settings.hasEngine), ...lock, ...secrets.flags, "--report", report];
  process.stdout.write(`building ${plan.path} for ${platform} as ${destination.reference}:${plan.tag}\n`);
  const { exitCode, error } = await cli.call(args, { env: { ...env, ...secrets.env } });
  if (exitCode === 0) return { tag: plan.tag, ...readReport(await readFile(report, "utf8")) };
  if (error === "ENGINE_NEEDED") return undefined;
  const tag = platformTag(plan, platform);
  // A build of the same inputs may have been first; the tag cannot be written twice, and need not be.
  const other = plan.tagKind === "content" && exitCode !== 130 ? await destination.find(tag) : undefined;
  if (other !== undefined) return { tag: plan.tag, digest: other.digest, reusedBytes: 0, engineUsed: false };
  throw new RunnerError(`could not build ${plan.path}: layerwise ended with exit code ${exitCode}`, {
    exitCode,
    hint: "see the error of layerwise above",
  });
}

function buildArguments({ plan, platform, directory, destination }: PlatformBuild, hasEngine: boolean): string[] {
  const isSingle = plan.platforms.length === 1;
  const tags = [platformTag(plan, platform), ...(isSingle ? plan.floatingTags : [])];
  return [
    "build",
    directory,
    "--push",
    ...tags.flatMap((tag) => ["--tag", `${destination.reference}:${tag}`]),
    ...["--file", join(directory, plan.file), "--platform", platform, "--progress", "plain"],
    ...(plan.target === undefined ? [] : ["--target", plan.target]),
    ...Object.entries(plan.buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...(hasEngine ? [] : ["--engine", "never"]),
  ];
}

/** Base images are those that synth saw, whatever has become of the lock file since. */
async function writeLock({ bases }: ImagePlan, folder: string): Promise<readonly string[]> {
  if (Object.keys(bases).length === 0) return [];
  const path = join(folder, "layerwise.lock");
  await writeFile(path, JSON.stringify({ version: 1, bases }));
  return ["--lock-file", path];
}

/** The fields of the report that a pipeline is told; `docs/report.md`. */
interface ReportPart {
  readonly route: string;
  readonly steps: readonly { readonly state: string; readonly bytes?: number }[];
  readonly image: { readonly digest: string; readonly bytes: number };
}

function readReport(text: string): Omit<Outcome, "tag"> {
  const { route, steps, image } = JSON.parse(text) as ReportPart;
  const made = steps.filter(({ state }) => state === "made").reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  return { digest: image.digest, reusedBytes: image.bytes - made, engineUsed: route === "engine" };
}
