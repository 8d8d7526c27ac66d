// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Generation } from "../../../lab/src/index.ts";
import { openSite } from "../e2e/site.ts";
import type { SeriesModel } from "./model.ts";
import { type RenderedSeries, renderSeries } from "./render.ts";
import { type JudgedBuild, runSeries, type SoakSite } from "./run-series.ts";
import { seriesModel } from "./series-arbitrary.ts";
import { countBuild, startTally, type Tally } from "./tally.ts";
import { openTruthBuilder } from "./truth-builder.ts";

/** How long to go on with one generation of engines, and with what. */
export interface SoakOptions {
  readonly generation: Generation;
  /** Series that run side by side. */
  readonly jobs: number;
  /** The seeds of the series, one after the other; ends the soak when there are no more. */
  readonly seeds: Iterator<number>;
  /** No series begins after this; milliseconds since 1970. */
  readonly until: number;
  /** Milliseconds to make a failing series smaller. */
  readonly shrinkFor: number;
  /** Hears of each series that failed, made small. */
  readonly failed: (failure: SoakFailure) => Promise<void>;
}

/** A series in which something was not as it should be. */
export interface SoakFailure {
  readonly generation: Generation;
  /** Repeats the series as it was found. */
  readonly seed: number;
  readonly series: RenderedSeries;
  /** The last has the findings. */
  readonly builds: readonly JudgedBuild[];
}

/** A soak of one generation, running. */
export interface Soak {
  readonly tally: Tally;
  readonly ended: Promise<void>;
}

/** Seeds without end that follow from one. */
export function* seedsFrom(seed: number): Generator<number, never> {
  for (let index = 0; ; index++) {
    yield createHash("sha256").update(`${seed}/${index}`).digest().readInt32BE(0);
  }
}

/** Starts random series of builds, each made by layerwise and by an engine of its own, and compares them. */
export function startSoak(options: SoakOptions): Soak {
  const tally = startTally();
  return { tally, ended: soak(options, tally) };
}

async function soak(options: SoakOptions, tally: Tally): Promise<void> {
  const { generation, jobs } = options;
  const site = await openSite({ generation, store: generation === 20 ? "classic" : "containerd" }, { reads: "none" });
  try {
    const truths = openTruthBuilder(site);
    await Promise.all(Array.from({ length: jobs }, () => work({ site, truths }, { options, tally })));
  } finally {
    await site.close();
  }
}

async function work(site: SoakSite, { options, tally }: { options: SoakOptions; tally: Tally }): Promise<void> {
  while (Date.now() < options.until) {
    const next = options.seeds.next();
    if (next.done) return;
    await checkSeries(site, { options, tally, seed: next.value });
  }
}

interface Checking {
  readonly options: SoakOptions;
  readonly tally: Tally;
  readonly seed: number;
}

async function checkSeries(site: SoakSite, { options, tally, seed }: Checking): Promise<void> {
  const { generation, shrinkFor, failed } = options;
  const runs: Omit<SoakFailure, "generation" | "seed">[] = [];
  let attempts = 0;
  let shrinkUntil = Number.POSITIVE_INFINITY;
  const property = fc.asyncProperty(seriesModel(generation), async (model: SeriesModel) => {
    if (Date.now() > shrinkUntil) return;
    const name = `soak-${generation}-${seed}${attempts === 0 ? "" : `-${attempts}`}`;
    const isShrinking = runs.length > 0;
    attempts += 1;
    const series = renderSeries(model, name);
    const builds = await runSeries(site, series, (build) => {
      if (isShrinking) tally.shrinking += 1;
      else countBuild(tally, build);
    });
    if (builds.at(-1)?.findings.length === 0) return;
    if (!isShrinking) shrinkUntil = Date.now() + shrinkFor;
    runs.push({ series, builds });
    throw new Error("something is not as it should be");
  });
  tally.series += 1;
  const outcome = await fc.check(property, { seed, numRuns: 1 });
  // The smallest is the last that failed.
  const smallest = runs.at(-1);
  if (smallest !== undefined) {
    tally.differences += 1;
    await failed({ generation, seed, ...smallest });
  } else if (outcome.failed) throw outcome.errorInstance;
}
