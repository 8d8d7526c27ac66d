// SPDX-License-Identifier: Apache-2.0
import type { EngineKind } from "../../../lab/test/engine-kinds.ts";
import { digestOf } from "../../src/spec/digest.ts";
import type { CorpusCase } from "./corpus-case.ts";

/** Which cases to run on which engines. */
export interface CorpusSelection {
  readonly cases: readonly CorpusCase[];
  readonly kinds: readonly EngineKind[];
}

/** One of how many cases is in the sample, beside those that are marked as important. */
const sampleRate = 8;

/**
 * Selects from the corpus: `all` is every case on every kind, else a sample on the oldest engine and the newest.
 *
 * Which cases are in the sample depends on their own names only, so that another case changes nothing for them.
 */
export function selectCorpus(wanted: string | undefined, { cases, kinds }: CorpusSelection): CorpusSelection {
  if (wanted === "all") return { cases, kinds };
  if (wanted !== undefined && wanted !== "sample") {
    throw new Error(`could not select from the corpus: LAYERWISE_CORPUS is ${wanted}, and neither all nor sample`);
  }
  return { cases: cases.filter(isInSample), kinds: kinds.filter(isAtAnEnd) };
}

/**
 * Whether an engine also unpacks and runs the images of a case, which takes longer than all else: with `all` those of
 * every case, else those of important cases and of cases that run something, on the newest generation.
 */
export function seesCase(wanted: string | undefined, { important, dockerfile }: CorpusCase, kind: EngineKind): boolean {
  if (wanted === "all") return true;
  if (wanted !== undefined && wanted !== "sample") {
    throw new Error(`could not choose what engines unpack: LAYERWISE_VIEWS is ${wanted}, and neither all nor sample`);
  }
  return kind.generation === 28 && (important || dockerfile.includes("${TINY}"));
}

function isInSample({ name, important }: CorpusCase): boolean {
  const firstByte = Number.parseInt(digestOf(name).slice("sha256:".length, "sha256:".length + 2), 16);
  return important || firstByte < 256 / sampleRate;
}

function isAtAnEnd({ generation, store }: EngineKind): boolean {
  return generation === 20 || (generation === 28 && store === "containerd");
}
