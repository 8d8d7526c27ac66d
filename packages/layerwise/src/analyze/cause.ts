// SPDX-License-Identifier: Apache-2.0

import type { CacheKey, KeyInput } from "../plan/cache-key.ts";
import type { ChainStep } from "../plan/chain.ts";
import type { StepContent } from "../plan/step-content.ts";
import type { ContextEntry } from "../ports.ts";

/** Why a step would be made. */
export type CauseName =
  /** Nothing was there: the first commit that was looked at. */
  | "first"
  /** The instruction is new. */
  | "new"
  | "base"
  | "files"
  | "instruction"
  | "environment"
  /** What it reads from another stage or image. */
  | "source"
  | "options"
  /** Only because a step before it was made. */
  | "earlier"
  /** Nothing changed, but no checkpoint is taken behind it. */
  | "unsaved"
  /** Nothing can stand for its result. */
  | "unknown";

/** Why a step would be made, and which files did it. */
export interface Cause {
  readonly name: CauseName;
  readonly files?: ChangedFiles | undefined;
}

/** Files that differ between two commits. */
export interface ChangedFiles {
  readonly count: number;
  /** A few of them, largest first. */
  readonly names: readonly string[];
}

/** Whether a step is made although nothing of its own changed. */
export function isFollowing(cause: CauseName): boolean {
  return cause === "earlier" || cause === "unsaved";
}

/** A step with what it selects. */
export interface CausedStep {
  readonly step: ChainStep;
  readonly content: StepContent | undefined;
  /** What its chain begins with. */
  readonly root: CacheKey;
  /** Whether it is the first step of its chain. */
  readonly isFirst: boolean;
}

/** Most file names that are kept of one change. */
const maxNames = 3;

/** The inputs of a key, in the order in which a difference in them is told. */
const told: readonly { readonly name: CauseName; readonly inputs: RegExp }[] = [
  { name: "instruction", inputs: /^(?:command|here-documents|sources|destination|chown|chmod|flags|path|mounts)$/ },
  { name: "files", inputs: /^files$/ },
  { name: "environment", inputs: /^(?:environment |order of the environment$|directory$|user$)/ },
  { name: "source", inputs: /^from$/ },
  { name: "options", inputs: /./ },
];

/**
 * Why a step has another key than before: what of its own inputs changed, else what came before it. Pure.
 *
 * @param before the same step in the commit before; undefined if it had none
 */
export function causeOf(before: CausedStep | undefined, after: CausedStep): Cause {
  if (before === undefined) return { name: "new" };
  const [old, now] = [before.step.key, after.step.key];
  if (old === undefined || now === undefined) return { name: "unknown" };
  if (old.digest === now.digest) return { name: "unsaved" };
  const own = differentInputs(old.inputs, now.inputs);
  const found = told.find(({ inputs }) => own.some((name) => inputs.test(name)));
  const mountsFiles = found?.name === "instruction" && own.every((name) => name === "mounts");
  if (found?.name === "files" || mountsFiles) {
    const files = changedFiles(before.content, after.content);
    return files.count > 0 ? { name: "files", files } : { name: "source" };
  }
  if (found !== undefined) return { name: found.name };
  return { name: after.isFirst && before.root.digest !== after.root.digest ? "base" : "earlier" };
}

function differentInputs(before: readonly KeyInput[], after: readonly KeyInput[]): readonly string[] {
  const values = new Map(before.map(({ name, value }) => [name, value]));
  const changed = after.filter(({ name, value }) => values.get(name) !== value).map(({ name }) => name);
  const names = new Set(after.map(({ name }) => name));
  const gone = before.map(({ name }) => name).filter((name) => !names.has(name));
  return [...changed, ...gone].filter((name) => name !== "parent");
}

/** What differs between two selections. What begins and ends both is passed over at once, since most of it is equal. */
function changedFiles(before: StepContent | undefined, after: StepContent | undefined): ChangedFiles {
  const [old, now] = [entriesOf(before), entriesOf(after)];
  const isSame = (one: ContextEntry | undefined, other: ContextEntry | undefined) =>
    one !== undefined &&
    other !== undefined &&
    (one === other || describe(one, before) === describe(other, after)) &&
    one.path === other.path;
  let start = 0;
  while (isSame(old[start], now[start])) start += 1;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && isSame(old.at(-1 - end), now.at(-1 - end))) end += 1;
  const rest = new Map(old.slice(start, old.length - end).map((entry) => [entry.path, entry]));
  const changed: ContextEntry[] = [];
  for (const entry of now.slice(start, now.length - end)) {
    const was = rest.get(entry.path);
    rest.delete(entry.path);
    if (!isSame(was, entry)) changed.push(entry);
  }
  const different = [...changed, ...rest.values()];
  // A directory that came or went comes or goes with what is in it.
  const files = different.filter(({ kind }) => kind !== "directory");
  const counted = files.length === 0 ? different : files;
  const names = [...counted].sort((one, other) => other.size - one.size).map(({ path }) => path);
  return { count: counted.length, names: names.slice(0, maxNames) };
}

function entriesOf(content: StepContent | undefined): readonly ContextEntry[] {
  const entries: ContextEntry[] = [];
  for (const { entry, below } of content?.sources ?? []) {
    entries.push(entry);
    for (const item of below) entries.push(item.entry);
  }
  return entries;
}

function describe({ path, kind, mode, target }: ContextEntry, content: StepContent | undefined): string {
  return `${kind} ${mode} ${target ?? ""} ${content?.digests.get(path) ?? ""}`;
}
