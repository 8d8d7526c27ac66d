// SPDX-License-Identifier: Apache-2.0
import { type Generation, generations, type ImageStore } from "../src/index.ts";

/** A generation with one of its stores. */
export interface EngineKind {
  readonly generation: Generation;
  readonly store: ImageStore;
}

/** Whether LAYERWISE_ENGINES=all asks for every engine and every long test; else there are samples. */
export const isMatrix = process.env["LAYERWISE_ENGINES"] === "all";
const tested: readonly Generation[] = isMatrix ? [20, 26, 28] : [20, 28];

/** The engines that tests run against: the oldest and the newest, or all with LAYERWISE_ENGINES=all. */
export const engineKinds: readonly EngineKind[] = tested.flatMap((generation) =>
  generations[generation].stores.map((store) => ({ generation, store })),
);

const oldest: EngineKind = { generation: 20, store: "classic" };
const newest: EngineKind = { generation: 28, store: "containerd" };

/** The ends of the range, which differ most; with LAYERWISE_ENGINES=all every engine. */
export const endKinds: readonly EngineKind[] = isMatrix ? engineKinds : [oldest, newest];

/** One end of the range, for long tests of what hardly depends on the engine; with LAYERWISE_ENGINES=all both. */
export const oldestKind: readonly EngineKind[] = isMatrix ? [oldest, newest] : [oldest];
export const newestKind: readonly EngineKind[] = isMatrix ? [oldest, newest] : [newest];

/** Every so many of long tests that are alike; with LAYERWISE_ENGINES=all each of them. */
export function sampleOf<Test>(all: readonly Test[], every: number): readonly Test[] {
  return isMatrix ? all : all.filter((_, index) => index % every === 0);
}
