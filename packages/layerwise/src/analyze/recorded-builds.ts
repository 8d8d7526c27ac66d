// SPDX-License-Identifier: Apache-2.0
import { type BuildRecord, keyedArguments } from "../spec/build-record.ts";
import { type Digest, isDigest } from "../spec/digest.ts";
import type { BuiltSteps, UncomparedRecord, WhyUncompared } from "./backtest.ts";

/** What predictions are made for. */
export interface Predictable {
  /** Full names of the commits that are looked at. */
  readonly commits: ReadonlySet<string>;
  readonly platform: string;
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
}

/** A record of the past, and what stands in the way of comparing it; undefined if nothing does. */
export interface SortedRecord {
  readonly record: BuildRecord;
  readonly uncompared: UncomparedRecord | undefined;
}

/**
 * Says of each record whether its build can be predicted. Pure.
 *
 * @param records oldest first
 */
export function sortRecords(records: readonly BuildRecord[], predictable: Predictable): readonly SortedRecord[] {
  return records.map((record, index) => {
    const found = obstacleOf(record, predictable) ?? (index === 0 ? unknownBefore(record) : undefined);
    const uncompared = found && { id: record.revision, time: record.time, ...found };
    return { record, uncompared };
  });
}

type Obstacle = { readonly why: WhyUncompared; readonly detail: string };

function obstacleOf(record: BuildRecord, { commits, platform, target, buildArgs }: Predictable): Obstacle | undefined {
  const { revision, noCache } = record;
  if (revision === undefined) return { why: "no-revision", detail: record.image ?? "" };
  if (!commits.has(revision)) return { why: "other-revision", detail: revision };
  if (record.platform !== platform) return { why: "platform", detail: record.platform };
  if (record.target !== target) return { why: "target", detail: record.target ?? "the last stage" };
  const names = otherArguments(record, buildArgs);
  if (names.length > 0) return { why: "arguments", detail: names.join(", ") };
  if (noCache !== false) return { why: "no-cache", detail: noCache === true ? "" : noCache.join(", ") };
  return undefined;
}

/** The arguments that have other values; none where a record of an older version does not tell. */
function otherArguments({ buildArgs, salt }: BuildRecord, given: ReadonlyMap<string, string>): readonly string[] {
  if (buildArgs === undefined) return [];
  const wanted = keyedArguments(salt, given);
  const names = new Set([...Object.keys(buildArgs), ...Object.keys(wanted)]);
  return [...names].filter((name) => buildArgs[name] !== wanted[name]).sort();
}

/** Whether checkpoints may have been there that no record tells of. */
function unknownBefore({ previous, stages }: BuildRecord): Obstacle | undefined {
  const isFirst = previous === undefined && stages.every(({ steps }) => steps.every(({ state }) => state === "made"));
  return isFirst ? undefined : { why: "oldest", detail: previous ?? "" };
}

/** What a record says of its build. Pure. */
export function stepsOfRecord({ route, stages }: BuildRecord): BuiltSteps {
  const steps = stages.flatMap(({ name, steps: own }) =>
    own.map(({ line, state, key }) => ({ stage: name, line, state, key })),
  );
  return { route, steps };
}

/** The checkpoints that are there after a build of which only the record is known. Pure. */
export function checkpointsOf({ stages }: BuildRecord): readonly Digest[] {
  const steps = stages.flatMap(({ steps: own }) => own.filter(({ ends }) => ends));
  return steps.map(({ key }) => key).filter((key) => key !== undefined && isDigest(key)) as readonly Digest[];
}
