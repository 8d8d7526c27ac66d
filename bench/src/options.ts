// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";

/** What to measure, and how often. */
export interface BenchOptions {
  readonly isQuick: boolean;
  /** Pairs with contenders that pull the image, and with those that do not. */
  readonly slowRounds: number;
  readonly fastRounds: number;
  /** Pairs with an engine that executes something. */
  readonly engineRounds: number;
  /** Starts of the program, and contexts hashed. */
  readonly startRounds: number;
  readonly hashingRounds: number;
  readonly hashedFiles: number;
  /** Commits and files of the history that is analyzed. */
  readonly analyzedCommits: number;
  readonly analyzedFiles: number;
  readonly layerSizes: readonly number[];
  /** Where the results go. */
  readonly folder: string;
}

const mebi = 1024 * 1024;

/** Pairs with fast contenders for one with a slow one. */
const fastPerSlow = 3;

const full = {
  isQuick: false,
  slowRounds: 5,
  fastRounds: 5 * fastPerSlow,
  engineRounds: 5,
  startRounds: 21,
  hashingRounds: 5,
  hashedFiles: 50_000,
  analyzedCommits: 1000,
  analyzedFiles: 5_000,
  layerSizes: [16 * mebi, 256 * mebi, 2048 * mebi],
} as const;

/** Says that the benchmark works; its figures say little, and go to another folder. */
const quick = {
  isQuick: true,
  slowRounds: 1,
  fastRounds: 1,
  engineRounds: 1,
  startRounds: 3,
  hashingRounds: 1,
  hashedFiles: 5_000,
  analyzedCommits: 50,
  analyzedFiles: 500,
  layerSizes: [16 * mebi],
} as const;

/** Reads the command line. */
export function readBenchOptions(argv: readonly string[], home: string): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: { quick: { type: "boolean" }, rounds: { type: "string" } },
  });
  const chosen = values.quick === true ? { ...quick, folder: `${home}/quick` } : { ...full, folder: home };
  if (values.rounds === undefined) return chosen;
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`could not read --rounds ${values.rounds}: not a number from 1`);
  return { ...chosen, slowRounds: rounds, engineRounds: rounds, fastRounds: fastPerSlow * rounds };
}
