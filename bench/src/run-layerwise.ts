// SPDX-License-Identifier: Apache-2.0
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Output, run } from "layerwise-lab";
import { type BenchSite, bundle, type Place } from "./site.ts";
import { timed } from "./timed.ts";

/** The parts of a report that are used here. */
export interface BuildReport {
  readonly route: "reuse" | "assemble" | "engine";
  readonly requests: { readonly count: number; readonly sent: number; readonly received: number };
  readonly steps: readonly { readonly state: "reused" | "made"; readonly bytes?: number }[];
  readonly seconds: Readonly<Record<"plan" | "produce" | "publish" | "save" | "total", number>>;
}

/** What a build of layerwise is asked for. */
export interface BuildRequest {
  readonly place: Place;
  readonly repository: string;
  readonly tags: readonly string[];
  /** The name of the Dockerfile in the context; the workload's first by default. */
  readonly file?: string | undefined;
  readonly context?: string | undefined;
  /** Anything but this is an error: what was measured would be something else. */
  readonly route: BuildReport["route"];
  /** A folder that comes first on the path. */
  readonly path?: string | undefined;
  /** Words before the command line. */
  readonly under?: readonly string[] | undefined;
}

/** A build that worked. */
export interface TimedBuild {
  /** Seconds of the whole process. */
  readonly seconds: number;
  readonly report: BuildReport;
}

/** Builds and publishes with the bundle, as a process of its own in the current engine's network. */
export async function buildWithLayerwise(site: BenchSite, request: BuildRequest): Promise<TimedBuild> {
  const { place, tags, route, under = [] } = request;
  const reportFile = join(site.work, "report.json");
  const context = request.context ?? place.app.folder;
  const argv = [
    ...[...under, process.execPath, bundle, "build", "--push", "--insecure-registry", place.registry],
    ...["--report", reportFile, "--file", join(context, request.file ?? "Dockerfile")],
    ...tags.flatMap((tag) => ["--tag", `${place.registry}/${request.repository}:${tag}`]),
    context,
  ];
  const { seconds } = await timed(() => runInNetwork(site, { argv, path: request.path }));
  const report = JSON.parse(await readFile(reportFile, "utf8")) as BuildReport;
  await rm(reportFile);
  if (report.route !== route) throw new Error(`could not measure ${route}: layerwise took the route ${report.route}`);
  return { seconds, report };
}

/** Runs a program of this machine in the current engine's network, with a `docker` that reaches that engine. */
export async function runInNetwork(
  { current, work }: Pick<BenchSite, "current" | "work">,
  { argv, path }: { readonly argv: readonly string[]; readonly path?: string | undefined },
): Promise<Output> {
  const folders = [...(path === undefined ? [] : [path]), current.shim, "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  const env = { PATH: folders.join(":"), HOME: work, TMPDIR: work, CI: "true" };
  return await run(current.entering(argv), { env, cwd: work });
}
