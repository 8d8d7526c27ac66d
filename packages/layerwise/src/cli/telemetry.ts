// SPDX-License-Identifier: Apache-2.0
import type { BuildTrace } from "./trace.ts";

/**
 * Whether somebody wants traces: the standard variables name a place, and nothing turns traces off.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function wantsTraces(env: Readonly<Record<string, string | undefined>>): boolean {
  const given = (name: string) => (env[name] ?? "") !== "";
  if (!given("OTEL_EXPORTER_OTLP_ENDPOINT") && !given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")) return false;
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") return false;
  const exporters = env["OTEL_TRACES_EXPORTER"] ?? "";
  return exporters === "" || exporters.split(",").some((name) => name.trim() === "otlp");
}

/** Sends the trace of a build, if somebody wants it; what goes wrong is told and no more. */
export async function sendTrace(
  trace: BuildTrace,
  { env, warn }: { env: Readonly<Record<string, string | undefined>>; warn: (message: string) => void },
): Promise<void> {
  if (!wantsTraces(env)) return;
  try {
    // Loaded only here: it is larger than all else, and nearly no build sends traces.
    const { exportTrace } = await import("./trace.ts");
    const failure = await exportTrace(trace, env);
    if (failure !== undefined) warn(`the trace could not be sent: ${failure}`);
  } catch (error) {
    warn(`the trace could not be sent: ${(error as Error).message}`);
  }
}
