// SPDX-License-Identifier: Apache-2.0
import type { BuildRecord } from "../spec/build-record.ts";
import { formatBytes } from "./render-text.ts";

/** What a history says of a build. */
export interface HistoryRow {
  /** To the second. */
  readonly time: string;
  /** Shortened; empty if it is not known, like the branch. */
  readonly revision: string;
  readonly branch: string;
  readonly route: string;
  readonly made: string;
  readonly took: string;
  readonly sent: string;
  readonly received: string;
}

/** A build's record in a few words. */
export function historyRow({
  time,
  revision,
  branch,
  route,
  seconds,
  sent,
  received,
  stages,
}: BuildRecord): HistoryRow {
  const steps = stages.flatMap((stage) => stage.steps);
  return {
    time: time.replace(/\.\d+Z$/, "Z"),
    revision: revision?.slice(0, 12) ?? "",
    branch: branch ?? "",
    route,
    made: `${steps.filter(({ state }) => state === "made").length} of ${steps.length}`,
    took: `${seconds.toFixed(2)} s`,
    sent: formatBytes(sent),
    received: formatBytes(received),
  };
}
