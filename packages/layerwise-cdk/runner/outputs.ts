// SPDX-License-Identifier: Apache-2.0
import { appendFile, writeFile } from "node:fs/promises";

/** What became of one image. */
export interface Outcome {
  readonly tag: string;
  readonly digest: string;
  /** Bytes of layers that were not made again: those of the base, and of steps that were reused. */
  readonly reusedBytes: number;
  readonly engineUsed: boolean;
}

/** Where variables go. */
export interface OutputFiles {
  /** A file for the shell. */
  readonly outputs: string | undefined;
  /** The file of a step's outputs at GitHub. */
  readonly gitHubOutput: string | undefined;
}

/** Writes the variables of a build; several images are joined by commas, bytes are added up. */
export async function writeOutputs(
  { outputs, gitHubOutput }: OutputFiles,
  outcomes: readonly Outcome[],
): Promise<void> {
  const variables = {
    LAYERWISE_DIGEST: outcomes.map(({ digest }) => digest).join(","),
    LAYERWISE_TAG: outcomes.map(({ tag }) => tag).join(","),
    LAYERWISE_REUSED_BYTES: String(outcomes.reduce((sum, { reusedBytes }) => sum + reusedBytes, 0)),
    LAYERWISE_ENGINE_USED: String(outcomes.some(({ engineUsed }) => engineUsed)),
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
  for (const line of lines) process.stdout.write(`${line.slice("export ".length)}\n`);
  if (outputs !== undefined) await writeFile(outputs, `${lines.join("\n")}\n`);
  if (gitHubOutput === undefined) return;
  // Values are digests, tags and numbers: none has an end of line.
  const pairs = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  await appendFile(gitHubOutput, pairs.join(""));
}
