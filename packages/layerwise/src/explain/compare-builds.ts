// SPDX-License-Identifier: Apache-2.0
import { tooOld } from "../plan/recall.ts";
import type { BuildRecord, StageRecord, StepRecord } from "../spec/build-record.ts";
import { checkpointTag } from "../spec/checkpoint.ts";
import { digestOf, isDigest } from "../spec/digest.ts";
import type { BaseCause, Before, Cause, ExplainedStep, Explanation, Origin } from "./cause.ts";
import { type Comparing, ownCauses } from "./compare-steps.ts";
import { type PairedStep, pairSteps } from "./pair-steps.ts";

/** The build before, if there was one and it left a record. */
export type BuildBefore =
  | { readonly kind: "build"; readonly record: BuildRecord; readonly name: string }
  | Exclude<Before, { kind: "build" }>;

/** Says of each step that was made, or would be, why it is not as it was in the build before. Pure. */
export function explainBuild(after: BuildRecord, before: BuildBefore): Explanation {
  if (before.kind !== "build") {
    const cause: Cause =
      before.kind === "no-build"
        ? { kind: "no-build-before", looked: before.looked }
        : { kind: "no-record", reference: before.reference, why: before.why };
    return { before, steps: explainAlone(after, cause) };
  }
  const { record, name } = before;
  const { image: digest, time, revision } = record;
  const isComparable = record.salt === after.salt;
  const steps = isComparable ? explainAll(after, record) : explainAll(withoutValues(after), withoutValues(record));
  return { before: { kind: "build", name, digest, time, revision }, steps };
}

function explainAlone(after: BuildRecord, cause: Cause): readonly ExplainedStep[] {
  return after.stages.flatMap((stage) =>
    stage.steps.filter(isMade).map((step) => explained(step, { stage, causes: [cause], origin: undefined })),
  );
}

function isMade({ state }: StepRecord): boolean {
  return state === "made";
}

/** What is known of a stage when it is compared. */
interface StageDifference {
  /** The first place in its chain that is not as it was. */
  readonly origin: Origin | undefined;
}

function explainAll(after: BuildRecord, before: BuildRecord): readonly ExplainedStep[] {
  const done = new Map<string, StageDifference>();
  const partners = pairStages(before, after);
  const steps: ExplainedStep[] = [];
  for (const stage of after.stages) {
    const result = explainStage(stage, { before, after, partner: partners.get(stage.name), done });
    done.set(stage.name, result);
    steps.push(...result.steps);
  }
  return steps;
}

/** Stages stand for each other by their names; those that are left by their place among the rest. */
function pairStages(before: BuildRecord, after: BuildRecord): ReadonlyMap<string, StageRecord> {
  const pairs = new Map<string, StageRecord>();
  for (const stage of after.stages) {
    const same = before.stages.find(({ name }) => name === stage.name);
    if (same !== undefined) pairs.set(stage.name, same);
  }
  const used = new Set([...pairs.values()]);
  const left = before.stages.filter((stage) => !used.has(stage));
  // The target is the last one, whatever it is called.
  for (const stage of after.stages.filter(({ name }) => !pairs.has(name)).reverse()) {
    const partner = left.pop();
    if (partner !== undefined) pairs.set(stage.name, partner);
  }
  return pairs;
}

interface StageComparison {
  readonly before: BuildRecord;
  readonly after: BuildRecord;
  readonly partner: StageRecord | undefined;
  readonly done: ReadonlyMap<string, StageDifference>;
}

function explainStage(
  stage: StageRecord,
  { before, after, partner, done }: StageComparison,
): StageDifference & { readonly steps: readonly ExplainedStep[] } {
  const comparing: Comparing = {
    before,
    after,
    bases: { before: baseBelow(before, partner), after: baseBelow(after, stage) },
    originOf: (name) => done.get(name)?.origin,
  };
  let origin = stage.below === undefined ? undefined : done.get(stage.below)?.origin;
  // Causes that no step of the stage has by itself: they are told with the first step behind them.
  let pending: readonly Cause[] = [];
  if (origin === undefined) {
    const root = rootCause(stage, { before, after, partner });
    if (root !== undefined) {
      pending = [root];
      origin = { stage: stage.name, line: stage.line, instruction: stage.from };
    }
  }
  const aligned = pairSteps(partner?.steps ?? [], stage.steps);
  const steps: ExplainedStep[] = [];
  for (const [index, one] of aligned.entries()) {
    if (one.kind === "removed") {
      const { instruction } = one.before;
      pending = [
        ...pending,
        { kind: isMoved(instruction, aligned) ? "instruction-moved" : "instruction-removed", instruction },
      ];
      continue;
    }
    const { after: step } = one;
    const own = [...pending, ...causesOf(one, { comparing, stage, aligned })];
    pending = [];
    const isSame = one.kind === "both" && step.key !== undefined && step.key === one.before.key;
    const here = { stage: stage.name, line: step.line, instruction: step.instruction };
    const first = origin;
    if (!isSame) origin ??= sourceOrigin(own) ?? here;
    if (!isMade(step)) continue;
    const causes = isSame
      ? [whyAgain(aligned, { index, stage, after })]
      : [...own, ...(first === undefined || own.some(isRoot) ? [] : [{ kind: "parent", origin: first } as const])];
    steps.push(explained(step, { stage, causes, origin: isSame ? undefined : origin }));
  }
  return { origin, steps };
}

function isRoot({ kind }: Cause): boolean {
  return kind === "base" || kind === "platform";
}

function baseBelow(build: BuildRecord, stage: StageRecord | undefined): StageRecord["base"] {
  if (stage?.below === undefined) return stage?.base;
  return baseBelow(
    build,
    build.stages.find(({ name }) => name === stage.below),
  );
}

function causesOf(
  one: Exclude<PairedStep, { kind: "removed" }>,
  { comparing, stage, aligned }: { comparing: Comparing; stage: StageRecord; aligned: readonly PairedStep[] },
): readonly Cause[] {
  const { after } = one;
  if (after.key === undefined) {
    // Behind the first step without a key there are no keys.
    const below = stage.steps[stage.steps.indexOf(after) - 1];
    return below === undefined || below.key !== undefined ? [{ kind: "unknown-inputs" }] : [];
  }
  if (one.kind === "both") return ownCauses(one.before, after, comparing);
  const { instruction } = after;
  return isMoved(instruction, aligned) ? [{ kind: "instruction-moved", instruction }] : [{ kind: "instruction-added" }];
}

/** Whether an instruction is gone in one place and new in another one. */
function isMoved(instruction: string, aligned: readonly PairedStep[]): boolean {
  const isGone = aligned.some((one) => one.kind === "removed" && one.before.instruction === instruction);
  return isGone && aligned.some((one) => one.kind === "added" && one.after.instruction === instruction);
}

/** A step that takes files from a stage that changed goes back to what changed there. */
function sourceOrigin(causes: readonly Cause[]): Origin | undefined {
  const [first] = causes;
  return first?.kind === "source" ? first.origin : undefined;
}

function rootCause(
  stage: StageRecord,
  { before, after, partner }: Pick<StageComparison, "before" | "after" | "partner">,
): Cause | undefined {
  if (partner === undefined || partner.root === stage.root) return undefined;
  if (before.platform !== after.platform) {
    return { kind: "platform", before: before.platform, after: after.platform };
  }
  const was = baseBelow(before, partner);
  const is = baseBelow(after, stage);
  const lower = was?.layers ?? [];
  const upper = is?.layers ?? [];
  let same = 0;
  while (same < lower.length && lower[same] === upper[same]) same += 1;
  const named = (base: StageRecord["base"]): BaseCause["before"] =>
    base === undefined ? undefined : { reference: base.reference, digest: base.digest };
  return {
    kind: "base",
    origin: { stage: stage.name, line: stage.line, instruction: stage.from },
    before: named(was),
    after: named(is),
    layers: { same, gone: lower.length - same, added: upper.length - same },
  };
}

/** Where values were digested with different salts, only texts and files can be compared. */
function withoutValues(build: BuildRecord): BuildRecord {
  const bare = ({ inputs, ...step }: StepRecord): StepRecord => {
    const texts = Object.keys(inputs).map((name): [string, string] => {
      if (name === "files" || name === "mounts") return [name, digestOf(JSON.stringify([step.files, step.reads]))];
      return [name, name.startsWith("environment ") ? "" : step.written];
    });
    return { ...step, inputs: Object.fromEntries(texts), variables: {} };
  };
  const base = (one: StageRecord["base"]) => one && { ...one, environment: {} };
  const stages = build.stages.map((stage) => ({ ...stage, base: base(stage.base), steps: stage.steps.map(bare) }));
  return { ...build, stages };
}

/** Why a step was made whose inputs are the same as before. */
function whyAgain(
  aligned: readonly PairedStep[],
  { index, stage, after }: { index: number; stage: StageRecord; after: BuildRecord },
): Cause {
  const { noCache, refused } = after;
  const isFiltered = noCache === true || (noCache !== false && noCache.includes(stage.name));
  if (isFiltered) return { kind: "no-cache" };
  const later = aligned.slice(index).flatMap((one) => (one.kind === "removed" ? [] : [one]));
  const end = later.findIndex((one) => one.after.ends);
  for (const one of later.slice(0, end + 1)) {
    if (one.kind === "both" && one.after.key === one.before.key) continue;
    const { line, instruction } = one.after;
    return { kind: "between", origin: { stage: stage.name, line, instruction } };
  }
  const tags = later.flatMap(({ after: { key } }) => (key !== undefined && isDigest(key) ? [checkpointTag(key)] : []));
  const flaw = refused.find(({ tag }) => tags.includes(tag));
  if (flaw === undefined) return { kind: "absent" };
  return flaw.why === tooOld ? { kind: "expired" } : { kind: "refused", ...flaw };
}

function explained(
  { line, instruction, seconds }: StepRecord,
  { stage, causes, origin }: { stage: StageRecord; causes: readonly Cause[]; origin: Origin | undefined },
): ExplainedStep {
  const here: Origin = { stage: stage.name, line, instruction };
  const [first = { kind: "absent" } as const, ...rest] = causes;
  return { ...here, causes: [first, ...rest], origin: origin ?? here, seconds };
}
