// SPDX-License-Identifier: Apache-2.0
import { unknownFrontEnd } from "../dockerfile/front-end.ts";
import { createIgnoreMatcher, type IgnoreMatcher, parseIgnoreFile } from "../dockerfile/ignore.ts";
import type { Dockerfile } from "../dockerfile/instruction.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import { isLayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import type { ChainStep } from "../plan/chain.ts";
import { type Draft, type DraftInput, draftChains } from "../plan/draft-chains.ts";
import { Refusal } from "../plan/refusal.ts";
import { describeReason, type Route } from "../plan/route.ts";
import { transplantKey } from "../plan/transplant.ts";
import type { RevisionContext, RevisionNote, Revisions } from "../ports.ts";
import type { Digest } from "../spec/digest.ts";
import type { GitCommit } from "../spec/git-object.ts";
import { matchSteps, type WrittenStep } from "./align-steps.ts";
import { type Cause, type CausedStep, causeOf } from "./cause.ts";
import type { BuildPlace, PlacedCommit } from "./follow-places.ts";
import { type SimulationOptions, simulateBuild } from "./simulate.ts";

/** What one commit's build would do. */
export type CommitOutcome =
  | {
      readonly kind: "planned";
      readonly commit: GitCommit;
      readonly route: Route;
      readonly steps: readonly StepOutcome[];
      /** Keys that recorded layers of its COPY --from steps would have. */
      readonly transplants: readonly Digest[];
    }
  /** The engine gets the whole Dockerfile, of which nothing is evaluated here. */
  | { readonly kind: "whole"; readonly commit: GitCommit; readonly why: string }
  /** There is no Dockerfile or no context. */
  | { readonly kind: "absent"; readonly commit: GitCommit }
  /** A build would end with an error. */
  | { readonly kind: "failed"; readonly commit: GitCommit; readonly why: string };

/** What one step's build would do. */
export interface StepOutcome {
  readonly written: WrittenStep;
  /** Why it would be made; undefined if it would be reused, or if nothing that is made reads it. */
  readonly cause: Cause | undefined;
  readonly key: Digest | undefined;
}

/** What replays a history besides the commits. */
export interface ReplayInput
  extends Omit<DraftInput, "dockerfile" | "context" | "matcher" | "emit">,
    SimulationOptions {
  readonly revisions: Revisions;
  /** Taken instead of the commits' own Dockerfile or ignore file. */
  readonly dockerfile: string | undefined;
  readonly ignoreFile: string | undefined;
  readonly hasGitDirectory: boolean | undefined;
  readonly umask: number | undefined;
  /** Milliseconds after which a checkpoint that no build made again is gone; undefined: never. */
  readonly keepFor: number | undefined;
  /** Keys of checkpoints that are there before the first build. */
  readonly present?: ReadonlySet<Digest> | undefined;
  /** Is told of each commit. */
  readonly onCommit?: ((done: number) => void) | undefined;
}

/** What builds of a history would do, one after the other, on top of the checkpoints of those before. */
export interface Replayed {
  /** Oldest first. */
  readonly outcomes: readonly CommitOutcome[];
  /** What git's objects do not tell exactly, and in how many commits. */
  readonly notes: readonly (RevisionNote & { readonly commits: number })[];
}

/**
 * Replays a history.
 *
 * @param placed oldest first
 */
export async function replay(placed: readonly PlacedCommit[], input: ReplayInput): Promise<Replayed> {
  const outcomes: CommitOutcome[] = [];
  const notes = new Map<string, RevisionNote & { commits: number }>();
  const saved = new Map<Digest, number>();
  const parse = memoized((text: string) => parseOnce(text, input));
  const match = memoized((text: string) => remembering(createIgnoreMatcher(parseIgnoreFile(text))));
  let before: readonly DraftedStep[] | undefined;

  async function outcomeOf(commit: GitCommit, place: BuildPlace | undefined): Promise<CommitOutcome> {
    const drafted = place && (await draftCommit(commit, { place, input, parse, match }));
    if (drafted === undefined) return { kind: "absent", commit };
    if (drafted.kind !== "draft") return { ...drafted, commit };
    const { draft } = drafted;
    const isThere = (key: Digest) =>
      input.present?.has(key) === true || isKept(saved.get(key), { commit, keepFor: input.keepFor });
    const simulated = await simulateBuild(draft, { ...input, isThere });
    const after = stepsOf(draft);
    const steps = withCauses(after, { before, made: simulated.made });
    for (const key of simulated.saved) saved.set(key, commit.time);
    for (const note of drafted.notes) addNote(notes, note);
    before = after;
    const { steps: chain, platform } = draft.target;
    const transplants = chain.flatMap((step) => transplantKey(step, platform)?.digest ?? []);
    return { kind: "planned", commit, route: simulated.route, steps, transplants };
  }

  for (const { commit, place } of placed) {
    input.signal?.throwIfAborted();
    outcomes.push(await outcomeOf(commit, place));
    input.onCommit?.(outcomes.length);
  }
  return { outcomes, notes: [...notes.values()] };
}

/** Lifecycle rules of registries count from when something was pushed. */
function isKept(
  time: number | undefined,
  { commit, keepFor }: { commit: GitCommit; keepFor: number | undefined },
): boolean {
  if (time === undefined) return false;
  return keepFor === undefined || (commit.time - time) * 1000 <= keepFor;
}

/** A step as it is written, with what its key is made of. */
interface DraftedStep {
  readonly written: WrittenStep;
  readonly caused: CausedStep;
}

function withCauses(
  after: readonly DraftedStep[],
  { before, made }: { before: readonly DraftedStep[] | undefined; made: ReadonlySet<ChainStep["step"]> },
): readonly StepOutcome[] {
  const others = (before ?? []).map(({ written }) => written);
  const matched = matchSteps(
    others,
    after.map(({ written }) => written),
  );
  return after.map(({ written, caused }, index): StepOutcome => {
    const key = caused.step.key?.digest;
    if (!made.has(caused.step.step)) return { written, cause: undefined, key };
    const match = matched[index];
    const old = match === undefined ? undefined : before?.[match]?.caused;
    return { written, cause: before === undefined ? { name: "first" } : causeOf(old, caused), key };
  });
}

type Drafted =
  | { readonly kind: "draft"; readonly draft: Draft; readonly notes: readonly RevisionNote[] }
  | { readonly kind: "whole"; readonly why: string }
  | { readonly kind: "failed"; readonly why: string };

interface Drafting {
  readonly place: BuildPlace;
  readonly input: ReplayInput;
  readonly parse: (text: string) => Parsed;
  readonly match: (text: string) => IgnoreMatcher;
}

async function draftCommit(commit: GitCommit, { place, input, parse, match }: Drafting): Promise<Drafted | undefined> {
  const files = await filesOf(commit, place, input);
  if (files === undefined) return undefined;
  const { context, text, ignoreFile } = files;
  try {
    const parsed = parse(text);
    if (parsed.kind === "unknown") {
      return { kind: "whole", why: describeReason({ name: "front-end-unknown", detail: parsed.syntax }) };
    }
    const { dockerfile } = parsed;
    const emit: Emit = () => undefined;
    const draft = await draftChains({ ...input, dockerfile, context, matcher: match(ignoreFile ?? ""), emit });
    return { kind: "draft", draft, notes: context.notes() };
  } catch (error) {
    if (error instanceof Refusal) return { kind: "whole", why: describeReason(error.reason) };
    if (isLayerwiseError(error) && endsOneBuild.test(error.code)) return { kind: "failed", why: error.message };
    throw error;
  }
}

/** What a build of a commit reads before it is planned. */
export interface CommitFiles {
  readonly context: RevisionContext;
  /** Of the Dockerfile. */
  readonly text: string;
  readonly ignoreFile: string | undefined;
}

/** Opens the files of a commit; undefined if it has no context or no Dockerfile. */
export async function filesOf(
  commit: GitCommit,
  { directory, dockerfile }: BuildPlace,
  input: Pick<ReplayInput, "revisions" | "dockerfile" | "ignoreFile" | "hasGitDirectory" | "umask" | "signal">,
): Promise<CommitFiles | undefined> {
  const { revisions, signal, hasGitDirectory, umask } = input;
  const context = await revisions.context(commit, { directory, hasGitDirectory, umask, signal });
  const text = input.dockerfile ?? (await revisions.text(commit, dockerfile, { signal }));
  if (context === undefined || text === undefined) return undefined;
  const beside = async () => await revisions.text(commit, `${dockerfile}.dockerignore`, { signal });
  const ignoreFile = input.ignoreFile ?? (await beside()) ?? (await context.text(".dockerignore", { signal }));
  return { context, text, ignoreFile };
}

/** Errors that a commit itself is the reason of. */
const endsOneBuild = /^(?:DOCKERFILE_|CONTEXT_)/;

type Parsed =
  | { readonly kind: "dockerfile"; readonly dockerfile: Dockerfile }
  /** Another front end reads it. */
  | { readonly kind: "unknown"; readonly syntax: string };

function parseOnce(text: string, { buildArgs }: ReplayInput): Parsed {
  const syntax = unknownFrontEnd(text, { file: "Dockerfile", buildArgs });
  if (syntax !== undefined) return { kind: "unknown", syntax };
  return { kind: "dockerfile", dockerfile: parseDockerfile(text, "Dockerfile") };
}

/** The verdict on a path is the same in each commit. */
function remembering(matcher: IgnoreMatcher): IgnoreMatcher {
  const verdicts = { file: new Map<string, boolean>(), directory: new Map<string, boolean>() };
  return {
    canSkip: (directory) => matcher.canSkip(directory),
    startWalk: () => {
      const walk = matcher.startWalk();
      return {
        isDisputed: (path) => walk.isDisputed(path),
        isNamed: (path) => walk.isNamed(path),
        differs: (path, isDirectory) => walk.differs(path, isDirectory),
        excludes: (path, isDirectory) => {
          const known = isDirectory ? verdicts.directory : verdicts.file;
          let verdict = known.get(path);
          if (verdict === undefined) {
            verdict = walk.excludes(path, isDirectory);
            known.set(path, verdict);
          }
          return verdict;
        },
      };
    },
  };
}

function memoized<T>(compute: (text: string) => T): (text: string) => T {
  const results = new Map<string, T>();
  return (text) => {
    let result = results.get(text);
    if (result === undefined) {
      result = compute(text);
      results.set(text, result);
    }
    return result;
  };
}

/** All steps that the target needs, in the order of the Dockerfile. */
function stepsOf({ chains, content, stages }: Draft): readonly DraftedStep[] {
  return [...chains.values()].flatMap((chain) => {
    const stage = stages.get(chain.stage)?.name ?? String(chain.stage);
    return chain.steps.slice(chain.inherited).map((step, index): DraftedStep => {
      const { kind, text, at } = step.step;
      const isFirst = index === 0 && chain.inherited === 0;
      return {
        written: { stage, kind, text, line: at.start.line },
        caused: { step, content: content.get(step.step), root: chain.root, isFirst },
      };
    });
  });
}

function addNote(notes: Map<string, RevisionNote & { commits: number }>, note: RevisionNote): void {
  const name = `${note.kind} ${note.path}`;
  const before = notes.get(name);
  notes.set(name, { ...note, commits: (before?.commits ?? 0) + 1 });
}
