// SPDX-License-Identifier: Apache-2.0
import type { EngineKind } from "../../../lab/test/engine-kinds.ts";
import { digestOf } from "../../src/spec/digest.ts";
import type { CorpusCase } from "./corpus-case.ts";

/** An engine, and the cases to run on it. */
export interface CorpusSelection {
  readonly kind: EngineKind;
  readonly cases: readonly CorpusCase[];
}

/** One of how many cases is in the sample, beside those that are marked as important. */
const sampleRate = 16;

/**
 * Selects from the corpus: `all` is every case on every engine; else important cases on every engine, and a sample of
 * the others, each on one engine.
 *
 * Which cases are in the sample depends on their own names only, so that another case changes nothing for them.
 */
export function selectCorpus(
  wanted: string | undefined,
  { cases, kinds }: { readonly cases: readonly CorpusCase[]; readonly kinds: readonly EngineKind[] },
): readonly CorpusSelection[] {
  if (wanted !== undefined && wanted !== "all" && wanted !== "sample") {
    throw new Error(`could not select from the corpus: LAYERWISE_CORPUS is ${wanted}, and neither all nor sample`);
  }
  const isSelected = (one: CorpusCase, place: number): boolean =>
    wanted === "all" || one.important || placeInSample(one, kinds.length) === place;
  return kinds.map((kind, place) => ({
    kind,
    cases: cases.filter(
      (one) => one.since <= kind.generation && kind.generation <= one.until && isSelected(one, place),
    ),
  }));
}

/**
 * Whether an engine also unpacks and runs the images of a case, which takes longer than all else: with `all` those of
 * every case, else those of important cases, on the newest generation.
 */
export function seesCase(wanted: string | undefined, { important }: CorpusCase, kind: EngineKind): boolean {
  if (wanted === "all") return true;
  if (wanted !== undefined && wanted !== "sample") {
    throw new Error(`could not choose what engines unpack: LAYERWISE_VIEWS is ${wanted}, and neither all nor sample`);
  }
  return kind.generation === 28 && important;
}

/** Which one of the engines has a case; undefined if the case is not in the sample. */
function placeInSample({ name }: CorpusCase, places: number): number | undefined {
  const hex = digestOf(name).slice("sha256:".length);
  const [first, second] = [hex.slice(0, 2), hex.slice(2, 4)].map((byte) => Number.parseInt(byte, 16));
  return (first ?? 0) < 256 / sampleRate ? (second ?? 0) % places : undefined;
}
