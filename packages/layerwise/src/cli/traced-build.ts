// SPDX-License-Identifier: Apache-2.0
import { type BuildOptions, type BuildResult, build } from "../build.ts";
import type { Emit } from "../event.ts";
import type { Wired } from "../wire.ts";
import type { Surroundings } from "./run.ts";
import { sendTrace } from "./telemetry.ts";

/** Builds, and sends the trace of it whatever becomes of it. */
export async function tracedBuild(
  options: BuildOptions,
  { around, wired, emit }: { around: Surroundings; wired: Wired; emit: Emit },
): Promise<BuildResult> {
  const { env, version, stderr } = around;
  const warn = (message: string) => void stderr.write(`warning    ${message}\n`);
  const began = Date.now();
  try {
    const result = await build(options, { ports: wired.ports, emit, hear: wired.hear });
    await sendTrace({ version, began, ended: Date.now(), report: result.report, error: undefined }, { env, warn });
    return result;
  } catch (error) {
    await sendTrace({ version, began, ended: Date.now(), report: undefined, error }, { env, warn });
    throw error;
  }
}
