// SPDX-License-Identifier: Apache-2.0
import { type Generation, generations, type ImageStore } from "../src/index.ts";

/** A generation with one of its stores. */
export interface EngineKind {
  readonly generation: Generation;
  readonly store: ImageStore;
}

const { LAYERWISE_ENGINES } = process.env;
const tested: readonly Generation[] = LAYERWISE_ENGINES === "all" ? [20, 26, 28] : [20, 28];

/** The engines that tests run against: the oldest and the newest, or all with LAYERWISE_ENGINES=all. */
export const engineKinds: readonly EngineKind[] = tested.flatMap((generation) =>
  generations[generation].stores.map((store) => ({ generation, store })),
);
