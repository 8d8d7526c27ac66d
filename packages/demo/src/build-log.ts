// SPDX-License-Identifier: Apache-2.0
import { DemoError } from "./demo-error.ts";

/**
 * Whether a build executed its RUN, from what `docker build --progress=plain` wrote. Pure.
 *
 * The vertex of a RUN whose result was found is CACHED, or has only its layer fetched and extracted.
 *
 * @throws {DemoError} if the log does not speak of a RUN
 */
export function hasExecutedRun(log: string): boolean {
  const vertex = /^#(\d+) \[[^\]]*\] RUN /m.exec(log)?.[1];
  if (vertex === undefined) throw new DemoError(`could not find RUN in the log of the engine:\n${log.slice(-2_000)}`);
  const said = log.split("\n").flatMap((line) => (line.startsWith(`#${vertex} `) ? [line.split(" ")[1] ?? ""] : []));
  if (said.includes("CACHED")) return false;
  const hasOutput = said.some((word) => /^\d+\.\d+$/.test(word));
  return hasOutput || !said.includes("extracting");
}
