// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "layerwise-lab";
import { DemoError } from "./demo-error.ts";
import type { LayerwiseOutcome } from "./record.ts";
import { timed } from "./timed.ts";

/** The command line that users run. */
const bundle = fileURLToPath(new URL("dist/bundle/layerwise.js", import.meta.resolve("layerwise/package.json")));

/** What is read of a report. */
interface Report {
  readonly route: LayerwiseOutcome["route"];
  readonly steps: readonly { readonly instruction: string; readonly state: string; readonly why: string }[];
  readonly image: { readonly bytes: number };
  readonly requests: { readonly count: number; readonly received: number };
  readonly blobs: { readonly uploaded: { readonly bytes: number } };
}

/** How to build. */
export interface LayerwiseBuild {
  readonly args: readonly string[];
  readonly context: string;
  /** A folder for the report. */
  readonly scratch: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Bytes that the engine received so far; undefined if nobody counts. */
  readonly engineReceived?: (() => Promise<number>) | undefined;
}

/** What a build did, and how large its image is. */
export interface LayerwiseBuilt {
  readonly outcome: LayerwiseOutcome;
  readonly imageBytes: number;
}

/** Builds with layerwise, as a process of its own. */
export async function buildWithLayerwise(build: LayerwiseBuild): Promise<LayerwiseBuilt> {
  const { args, context, scratch, env, engineReceived } = build;
  const file = join(scratch, "report.json");
  const argv = [process.execPath, bundle, "build", "--progress=plain", "--report", file, ...args, context];
  const before = await engineReceived?.();
  const { result, seconds } = await timed(() =>
    run(argv, { cwd: context, env: { ...process.env, ...env }, allowFailure: true }),
  );
  if (result.code !== 0) throw new DemoError(`layerwise ended with ${result.code}:\n${result.stderr}`);
  const report = JSON.parse(await readFile(file, "utf8")) as Report;
  const after = await engineReceived?.();
  const counted = before === undefined || after === undefined ? null : after - before + report.requests.received;
  return {
    imageBytes: report.image.bytes,
    outcome: {
      seconds,
      route: report.route,
      executed: report.steps.some(hasExecuted),
      received: counted,
      requests: report.requests.count,
      uploaded: report.blobs.uploaded.bytes,
    },
  };
}

function hasExecuted({ instruction, state, why }: Report["steps"][number]): boolean {
  return instruction.startsWith("RUN ") && state === "made" && why !== "the engine had it";
}
