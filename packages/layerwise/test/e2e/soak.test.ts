// SPDX-License-Identifier: Apache-2.0
import { describe, it } from "vitest";
import type { Generation } from "../../../lab/src/index.ts";
import { type SoakFailure, seedsFrom, startSoak } from "../soak/soak.ts";

/** Series for each engine, always the same ones; `npm run soak` goes on where they end. */
const series = process.env["LAYERWISE_CORPUS"] === "all" ? 8 : 2;
const seed = 1;

const anHour = 3_600_000;

describe.each<Generation>([20, 28])("Docker %d", (generation) => {
  it(`makes the same of ${series} random series of builds as layerwise (seed ${seed})`, async ({
    expect,
    annotate,
  }) => {
    const failures: SoakFailure[] = [];
    const seeds = seedsFrom(seed);
    const some = Array.from({ length: series }, () => seeds.next().value);

    const soak = startSoak({
      generation,
      jobs: 3,
      seeds: some.values(),
      until: Date.now() + anHour,
      shrinkFor: 60_000,
      failed: async (failure) => void failures.push(failure),
    });
    await soak.ended;

    await annotate(JSON.stringify(soak.tally));
    const findings = failures.map(({ seed: one, builds, series: { first } }) => ({
      seed: one,
      dockerfile: first.dockerfile,
      findings: builds.at(-1)?.findings,
    }));
    expect(findings).toEqual([]);
    expect(soak.tally.series).toBe(series);
    expect(soak.tally.reuse + soak.tally.assemble).toBeGreaterThan(0);
  });
});
