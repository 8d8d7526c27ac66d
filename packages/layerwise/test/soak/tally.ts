// SPDX-License-Identifier: Apache-2.0
import type { JudgedBuild } from "./run-series.ts";

/** What a soak has seen so far. */
export interface Tally {
  series: number;
  builds: number;
  reuse: number;
  assemble: number;
  engine: number;
  /** Builds that both layerwise and the engine refused. */
  refused: number;
  /** Builds that were repeated to make a failing series smaller; they are not among `builds`. */
  shrinking: number;
  /** Series in which something was not as it should be. */
  differences: number;
}

/** Nothing seen yet. */
export function startTally(): Tally {
  return { series: 0, builds: 0, reuse: 0, assemble: 0, engine: 0, refused: 0, shrinking: 0, differences: 0 };
}

/** Counts a build. */
export function countBuild(tally: Tally, { route, findings }: JudgedBuild): void {
  tally.builds += 1;
  if (route !== undefined) tally[route] += 1;
  else if (findings.length === 0) tally.refused += 1;
}

/** What several tallies have seen together. */
export function sumOf(tallies: readonly Tally[]): Tally {
  const sum = startTally();
  for (const tally of tallies) for (const name of Object.keys(sum) as (keyof Tally)[]) sum[name] += tally[name];
  return sum;
}

/** A tally as a line. */
export function renderTally(tally: Tally): string {
  const { series, builds, reuse, assemble, engine, refused, shrinking, differences } = tally;
  const share = builds === 0 ? 0 : Math.round((100 * (reuse + assemble)) / builds);
  const routes = `reuse ${reuse}, assemble ${assemble} (${share} % together), engine ${engine}, refused by both ${refused}`;
  const more = shrinking === 0 ? "" : `; ${shrinking} more to make series smaller`;
  return `${builds} builds in ${series} series: ${routes}${more}; ${differences} differences`;
}
