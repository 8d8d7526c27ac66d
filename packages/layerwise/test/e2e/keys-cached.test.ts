// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineKinds, isMatrix, sampleOf } from "../../../lab/test/engine-kinds.ts";
import { keyNonInputs } from "../key-non-inputs.ts";
import { buildSeries } from "./keys-arbitrary.ts";
import { coarseKeys, type JudgedStep, startSeries } from "./keys-lab.ts";
import { openSite, type Site } from "./site.ts";

/** How many random series each engine builds; each is three to five builds. */
const runs = Number(process.env["LAYERWISE_KEY_RUNS"] ?? (isMatrix ? 8 : 3));
/** Repeats what an earlier run built; always the same but with LAYERWISE_ENGINES=all. */
const seed = Number(process.env["LAYERWISE_KEY_SEED"] ?? (isMatrix ? Date.now() % 2 ** 31 : 1));

// BuildKit is the same with each image store: one a generation is enough.
const engines = engineKinds.filter(
  ({ generation }, index) => engineKinds.findIndex((one) => one.generation === generation) === index,
);

for (const { generation, store } of engines) {
  describe(`Docker ${generation} ${store}`, () => {
    let site: Site;
    beforeAll(async () => {
      site = await openSite({ generation, store });
    });
    afterAll(async () => await site.close());

    describe("says CACHED after a change that is no input", () => {
      const fitting = keyNonInputs.filter(({ since = 20 }) => since <= generation);
      for (const { what, from, to } of generation === 28 ? fitting : sampleOf(fitting, 3)) {
        it.concurrent(what, async ({ expect }) => {
          const series = startSeries(site);

          const before = await series.judge(from);
          const after = await series.judge({ ...from, ...to });

          expect(coarseKeys([before, after])).toEqual([]);
          expect(after.at(-1)).toMatchObject({ key: before.at(-1)?.key, engine: "cached" });
        });
      }
    });

    it(`says CACHED wherever the key is one that was built before (seed ${seed})`, async ({ annotate }) => {
      const counts = { same: 0, finer: 0, executed: 0 };

      await fc.assert(
        fc.asyncProperty(buildSeries(), async (inputs) => {
          const series = startSeries(site);
          const builds: (readonly JudgedStep[])[] = [];
          for (const input of inputs) builds.push(await series.judge(input));
          count(builds, counts);
          expect(coarseKeys(builds), inputs.map(({ dockerfile }) => dockerfile).join("\n")).toEqual([]);
        }),
        { numRuns: runs, seed, endOnFailure: true },
      );

      expect(counts.same).toBeGreaterThan(0);
      await annotate(`seed ${seed}: ${JSON.stringify(counts)}`);
    });
  });
}

/** Counts instructions of rebuilds: cached with the same key, cached with another one, executed. */
function count(
  builds: readonly (readonly JudgedStep[])[],
  counts: { same: number; finer: number; executed: number },
): void {
  const known = new Set(builds[0]?.map(({ key }) => key));
  for (const steps of builds.slice(1)) {
    for (const { key, engine } of steps) {
      if (engine === "executed") counts.executed += 1;
      else if (engine === "cached") counts[known.has(key) ? "same" : "finer"] += 1;
      known.add(key);
    }
  }
}
