// SPDX-License-Identifier: Apache-2.0
import type { Route } from "../plan/route.ts";

/** Predictions beside what builds did. */
export interface Backtest {
  /** Oldest first. */
  readonly commits: readonly BacktestedCommit[];
  /** In how many of them route and steps were as predicted. */
  readonly agreed: number;
}

/** One commit that was built. */
export interface BacktestedCommit {
  readonly id: string;
  readonly predicted: BuildShape;
  /** Undefined if the build ended with an error. */
  readonly actual: BuildShape | undefined;
  /** The error that the build ended with. */
  readonly error: string | undefined;
  readonly agrees: boolean;
}

/** What of a build is compared. */
export interface BuildShape {
  /** Undefined if no build was predicted to end well. */
  readonly route: Route | undefined;
  /** The steps that are made, as `stage:line`, in the order of the Dockerfile. */
  readonly made: readonly string[];
}

/** Compares predictions with what happened. Pure. */
export function compareBuilds(commits: readonly Omit<BacktestedCommit, "agrees">[]): Backtest {
  const compared = commits.map((commit) => ({ ...commit, agrees: agree(commit) }));
  return { commits: compared, agreed: compared.filter(({ agrees }) => agrees).length };
}

function agree({ predicted, actual }: Omit<BacktestedCommit, "agrees">): boolean {
  if (actual === undefined) return predicted.route === undefined;
  return predicted.route === actual.route && predicted.made.join(" ") === actual.made.join(" ");
}
