// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";

/** What became of one image. */
export interface Outcome {
  readonly tag: string;
  readonly digest: string;
  /** Bytes of layers that did not move. */
  readonly reusedBytes: number;
  readonly engineUsed: boolean;
}

/** Writes the variables of a build as a file for the shell; several images are joined by commas, bytes are added up. */
export async function writeOutputs(path: string | undefined, outcomes: readonly Outcome[]): Promise<void> {
  const variables = {
    LAYERWISE_DIGEST: outcomes.map(({ digest }) => digest).join(","),
    LAYERWISE_TAG: outcomes.map(({ tag }) => tag).join(","),
    LAYERWISE_REUSED_BYTES: String(outcomes.reduce((sum, { reusedBytes }) => sum + reusedBytes, 0)),
    LAYERWISE_ENGINE_USED: String(outcomes.some(({ engineUsed }) => engineUsed)),
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
  for (const line of lines) process.stdout.write(`${line.slice("export ".length)}\n`);
  if (path !== undefined) await writeFile(path, `${lines.join("\n")}\n`);
}
