// SPDX-License-Identifier: Apache-2.0
import type { BuildRecord } from "../spec/build-record.ts";
import { encodeBuildRecord, maxRecordText } from "../spec/record-document.ts";
import { collapse, depthFor } from "./file-inputs.ts";

/** How many files of one step a record lists; fewer if it would be too long otherwise. */
const fileLimits: readonly number[] = [3000, 1000, 300, 100, 10, 0];

/** A record as text that is short enough, directories in the place of files if there are many; undefined if it cannot be. */
export function fitRecord(record: BuildRecord): string | undefined {
  for (const limit of fileLimits) {
    const text = encodeBuildRecord(withFewerFiles(record, limit));
    if (text.length <= maxRecordText) return text;
  }
  return undefined;
}

function withFewerFiles(record: BuildRecord, limit: number): BuildRecord {
  const steps = record.stages.flatMap((stage) => stage.steps);
  const depth = Math.min(record.depth, ...steps.map(({ files }) => depthFor(files, limit)));
  const stages = record.stages.map((stage) => ({
    ...stage,
    steps: stage.steps.map((step) => ({ ...step, files: collapse(step.files, depth) })),
  }));
  return { ...record, depth, stages };
}

/** A record that tells of no stage beside the target's own chain, for builds that publish nothing of others. */
export function onlyTargetChain(record: BuildRecord): BuildRecord {
  const kept = new Set<string>();
  let name = record.stages.at(-1)?.name;
  while (name !== undefined && !kept.has(name)) {
    kept.add(name);
    const wanted = name;
    name = record.stages.find((stage) => stage.name === wanted)?.below;
  }
  return { ...record, stages: record.stages.filter((stage) => kept.has(stage.name)) };
}
