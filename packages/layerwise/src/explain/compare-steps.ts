// SPDX-License-Identifier: Apache-2.0
import { createIgnoreMatcher, isIgnored } from "../dockerfile/ignore.ts";
import type { BaseRecord, BuildRecord, ReadRecord, StepRecord } from "../spec/build-record.ts";
import type { Cause, FileChange, Origin, VariableCause } from "./cause.ts";
import { compareFiles } from "./compare-files.ts";
import { collapse, isInNamedDirectory } from "./file-inputs.ts";
import { isExpanded, textInputs } from "./step-variables.ts";
import { wordChanges } from "./word-changes.ts";

/** The two builds that a pair of steps is from, and what is known of their surroundings. */
export interface Comparing {
  readonly before: BuildRecord;
  readonly after: BuildRecord;
  readonly bases: { readonly before: BaseRecord | undefined; readonly after: BaseRecord | undefined };
  /** Where the first difference in a stage is; undefined if there is none. */
  readonly originOf: (stage: string) => Origin | undefined;
}

/** Most files that an explanation names one by one. */
const maxChanges = 50;

/** What of a step itself is not as it was: nothing if only the steps before it differ. The first cause is the most telling. */
export function ownCauses(before: StepRecord, after: StepRecord, comparing: Comparing): readonly Cause[] {
  const differing = namesThatDiffer(before.inputs, after.inputs);
  if (differing.size === 0 && before.kind === after.kind) return [];
  const steps: StepPair = { before, after, differing };
  const text = textCauses(steps);
  const variables = variableCauses(steps, { comparing, hasText: text.length > 0 });
  const expanded = variables.length > 0 && differing.has("sources");
  const isMoved = expanded || (text.length > 0 && differing.has("sources"));
  const files = isMoved ? [] : fileCauses(steps, comparing);
  const sources = readCauses(steps, comparing);
  const found = [...text, ...variables, ...files, ...sources];
  return [...found, ...otherInputs(steps, found)];
}

interface StepPair {
  readonly before: StepRecord;
  readonly after: StepRecord;
  readonly differing: ReadonlySet<string>;
}

function namesThatDiffer(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): ReadonlySet<string> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return new Set([...names].filter((name) => before[name] !== after[name]));
}

function textCauses({ before, after, differing }: StepPair): readonly Cause[] {
  if (before.instruction !== after.instruction) {
    return [{ kind: "instruction", words: wordChanges(before.instruction, after.instruction) }];
  }
  return differing.has("here-documents") && before.written !== after.written ? [{ kind: "here-document" }] : [];
}

/** Variables that a RUN sees, or that stand in a COPY, an ADD or a WORKDIR. */
function variableCauses(
  { before, after, differing }: StepPair,
  { comparing, hasText }: { comparing: Comparing; hasText: boolean },
): readonly VariableCause[] {
  const seen = [...differing].filter((name) => name.startsWith("environment ")).map((name) => name.slice(12));
  const mayExpand = !hasText && [...differing].some(isExpanded);
  const written = mayExpand ? [...namesThatDiffer(before.variables, after.variables)] : [];
  return [...new Set([...seen, ...written])].map((name) => variableCause(name, { before, after, comparing }));
}

function variableCause(
  name: string,
  { before, after, comparing }: Pick<StepPair, "before" | "after"> & { comparing: Comparing },
): VariableCause {
  const has = ({ inputs, variables }: StepRecord) =>
    Object.hasOwn(inputs, `environment ${name}`) || Object.hasOwn(variables, name);
  const isArgument = before.arguments.includes(name) || after.arguments.includes(name);
  const { bases } = comparing;
  const isFromBase = !isArgument && bases.before?.environment[name] !== bases.after?.environment[name];
  const how = !has(before) ? "added" : !has(after) ? "removed" : "changed";
  return { kind: isArgument ? "argument" : "environment", name, how, isFromBase };
}

function fileCauses({ before, after, differing }: StepPair, comparing: Comparing): readonly Cause[] {
  if (!differing.has("files") && !differing.has("mounts")) return [];
  const depth = Math.min(comparing.before.depth, comparing.after.depth);
  const changes = compareFiles(collapse(before.files, depth), collapse(after.files, depth));
  const rules = { before: comparing.before.ignore, after: comparing.after.ignore };
  const byRule = changedRules(rules) ? changes.filter(byRules(rules)) : [];
  const others = changes.filter((change) => !byRule.includes(change));
  const causes: Cause[] = [];
  if (others.length > 0 || (byRule.length === 0 && differing.has("files"))) {
    causes.push({ kind: "files", changes: others.slice(0, maxChanges), count: others.length });
  }
  if (byRule.length > 0) {
    causes.push({
      kind: "ignore",
      changes: byRule.slice(0, maxChanges),
      count: byRule.length,
      added: rules.after.filter((pattern) => !rules.before.includes(pattern)),
      removed: rules.before.filter((pattern) => !rules.after.includes(pattern)),
    });
  }
  return causes;
}

interface Rules {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

function changedRules({ before, after }: Rules): boolean {
  return before.join("\n") !== after.join("\n");
}

/** Finds files that the new rules leave out, or that only the old ones did. */
function byRules({ before, after }: Rules): (change: FileChange) => boolean {
  const were = createIgnoreMatcher(before);
  const are = createIgnoreMatcher(after);
  return ({ path, how }) => {
    if (isInNamedDirectory(path)) return false;
    if (how === "removed") return isIgnored(are, path) && !isIgnored(were, path);
    return how === "added" && isIgnored(were, path) && !isIgnored(are, path);
  };
}

function readCauses({ before, after, differing }: StepPair, comparing: Comparing): readonly Cause[] {
  if (!differing.has("from") && !differing.has("mounts")) return [];
  return after.reads.flatMap((read, index): Cause[] => {
    const was: ReadRecord | undefined = before.reads[index];
    if (was?.key === read.key) return [];
    if (read.kind === "image") return [{ kind: "image", reference: read.name }];
    return [{ kind: "source", from: read.name, origin: comparing.originOf(read.name) }];
  });
}

/** What no text, variable or file accounts for. */
function otherInputs({ before, after, differing }: StepPair, found: readonly Cause[]): readonly Cause[] {
  const hasText = found.some(({ kind }) => kind === "instruction" || kind === "here-document");
  const hasVariable = found.some(({ kind }) => kind === "argument" || kind === "environment");
  const causes: Cause[] = [];
  for (const name of differing) {
    if (name.startsWith("environment ") || name === "from" || name === "files") continue;
    if (name === "order of the environment" && hasVariable) continue;
    if (name === "mounts" && found.length > 0) continue;
    if (name === "here-documents" && (hasText || hasVariable)) continue;
    if (textInputs.has(name) && (hasText || hasVariable)) continue;
    causes.push({ kind: "input", name: knownName(name) });
  }
  if (causes.length === 0 && found.length === 0 && before.kind !== after.kind) return [{ kind: "input", name: "kind" }];
  return causes;
}

/** A text that stayed has another meaning because of what stands before it. */
function knownName(name: string): string {
  if (name === "command") return "shell";
  return name === "destination" || name === "path" ? "directory" : name;
}
