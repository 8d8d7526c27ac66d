// SPDX-License-Identifier: Apache-2.0
import type { CauseKind } from "../explain/cause.ts";
import { argumentsOf, isExpanded, writtenVariables } from "../explain/step-variables.ts";
import type { CacheKey, KeyInput } from "../plan/cache-key.ts";
import type { ChainStep } from "../plan/chain.ts";
import type { Step } from "../plan/step.ts";
import type { StepContent } from "../plan/step-content.ts";
import type { ContextEntry } from "../ports.ts";

/** Why a step would be made: the words of `explain`, of which a history needs fewer. */
export type CauseName =
  /** Nothing was there: the first commit that was looked at. */
  | "first"
  | Extract<
      CauseKind,
      | "instruction-added"
      | "base"
      | "instruction"
      | "here-document"
      | "argument"
      | "environment"
      | "files"
      | "source"
      | "image"
      | "input"
      | "parent"
      | "between"
      | "absent"
      | "unknown-inputs"
    >;

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
  return cause === "parent" || cause === "between";
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

/**
 * Why a step has another key than before: what of its own inputs changed, else what came before it. Pure.
 *
 * @param before the same step in the commit before; undefined if it had none
 */
export function causeOf(before: CausedStep | undefined, after: CausedStep): Cause {
  if (before === undefined) return { name: "instruction-added" };
  const [old, now] = [before.step.key, after.step.key];
  if (old === undefined || now === undefined) return { name: "unknown-inputs" };
  const { endsStage, needsEngine } = after.step;
  if (old.digest === now.digest) return { name: endsStage || needsEngine ? "absent" : "between" };
  const differing = differentInputs(old.inputs, now.inputs);
  if (differing.length > 0) return ownCause(differing, { before, after });
  return { name: after.isFirst && before.root.digest !== after.root.digest ? "base" : "parent" };
}

interface CausedPair {
  readonly before: CausedStep;
  readonly after: CausedStep;
}

/** The most telling difference, as `explain` has it first. */
function ownCause(differing: readonly string[], { before, after }: CausedPair): Cause {
  const [was, is] = [before.step.step, after.step.step];
  if (was.text !== is.text) return { name: "instruction" };
  if (differing.includes("here-documents") && was.source !== is.source) return { name: "here-document" };
  const variable = otherVariable(differing, { was, is });
  if (variable !== undefined) {
    const isArgument = argumentsOf(was).includes(variable) || argumentsOf(is).includes(variable);
    return { name: isArgument ? "argument" : "environment" };
  }
  const hasFiles = differing.includes("files") || differing.includes("mounts");
  const files = hasFiles ? changedFiles(before.content, after.content) : undefined;
  if (files !== undefined && files.count > 0) return { name: "files", files };
  if (hasFiles || differing.includes("from")) return { name: readsImage(is) ? "image" : "source" };
  return { name: "input" };
}

/** A variable that a RUN sees, or that stands in the instruction, and has another value. */
function otherVariable(differing: readonly string[], { was, is }: { was: Step; is: Step }): string | undefined {
  const seen = differing.find((name) => name.startsWith("environment "))?.slice("environment ".length);
  if (seen !== undefined || !differing.some(isExpanded)) return seen;
  const written = new Set([...writtenVariables(was), ...writtenVariables(is)]);
  return [...written].find((name) => was.before.environment.get(name) !== is.before.environment.get(name));
}

function readsImage(step: Step): boolean {
  const sources =
    step.kind === "run" ? step.mounts.map(({ reads }) => reads) : step.kind === "workdir" ? [] : [step.from];
  return sources.some(({ kind }) => kind === "image") && !sources.some(({ kind }) => kind === "stage");
}

function differentInputs(before: readonly KeyInput[], after: readonly KeyInput[]): readonly string[] {
  const values = new Map(before.map(({ name, value }) => [name, value]));
  const changed = after.filter(({ name, value }) => values.get(name) !== value).map(({ name }) => name);
  const names = new Set(after.map(({ name }) => name));
  const gone = before.map(({ name }) => name).filter((name) => !names.has(name));
  return [...changed, ...gone].filter((name) => name !== "parent");
}

/** What differs in the build context, and in directories that mounts read by name. */
function changedFiles(before: StepContent | undefined, after: StepContent | undefined): ChangedFiles {
  const all = (content: StepContent | undefined) => (content === undefined ? [] : [content, ...(content.more ?? [])]);
  const was = new Map(all(before).map((one) => [one.context, one]));
  const is = new Map(all(after).map((one) => [one.context, one]));
  const changes = [...new Set([...was.keys(), ...is.keys()])].map((name) => changedIn(was.get(name), is.get(name)));
  return {
    count: changes.reduce((sum, { count }) => sum + count, 0),
    names: changes.flatMap(({ names }) => names).slice(0, maxNames),
  };
}

/** What differs between two selections. What begins and ends both is passed over at once, since most of it is equal. */
function changedIn(before: StepContent | undefined, after: StepContent | undefined): ChangedFiles {
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
