// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { type BuildPlace, placeBefore } from "./analyze/follow-places.ts";
import { type BuildOptions, type BuildSurroundings, ignoreMatcher } from "./build.ts";
import { parseIgnoreFile } from "./dockerfile/ignore.ts";
import type { Dockerfile } from "./dockerfile/instruction.ts";
import { LayerwiseError } from "./error.ts";
import { recordPlan } from "./explain/record-plan.ts";
import { type Explained, explainRecords, type Named } from "./explain-build.ts";
import { draftChains } from "./plan/draft-chains.ts";
import { gatherBases, type WantedImage } from "./plan/gather-bases.ts";
import { Refusal } from "./plan/refusal.ts";
import { describeReason } from "./plan/route.ts";
import type { RevisionContextOptions, RevisionNote, Revisions } from "./ports.ts";
import { readDockerfile } from "./read-dockerfile.ts";
import type { BuildRecord } from "./spec/build-record.ts";
import type { GitCommit } from "./spec/git-object.ts";

/** Two revisions of a git repository, and where in it the build is. */
export interface RevisionPair {
  readonly revisions: Revisions;
  readonly from: string;
  readonly to: string;
  /** The build context at `to`, relative to the top of the repository; empty for the top. */
  readonly directory: string;
  /** The Dockerfile at `to`, relative to the top of the repository. */
  readonly file: string;
  /** How a checkout would be made. */
  readonly checkout?: Pick<RevisionContextOptions, "hasGitDirectory" | "umask"> | undefined;
}

/** The options of a build, apart from its files, which come from the revisions. */
export type RevisionOptions = Omit<BuildOptions, "context" | "dockerfile" | "ignoreFile">;

/** An explanation, and where a checkout may differ from what git's objects say. */
export interface ExplainedRevisions extends Explained {
  readonly notes: readonly RevisionNote[];
  /** What `to` was built by; the ignore file is empty if there is none. */
  readonly files: { readonly dockerfile: Dockerfile; readonly ignore: string };
}

/**
 * Explains what a build of one revision makes that a build of another one did not. Read from git's objects: nothing is
 * checked out. Bases are looked up once and are the same for both.
 *
 * @throws REVISION_NOT_FOUND, DOCKERFILE_NOT_FOUND, CONTEXT_NOT_FOUND
 */
export async function explainRevisions(
  pair: RevisionPair,
  { options, ports, emit, lookUp = lookUpOnce(options, { ports, emit }) }: RevisionSurroundings,
): Promise<ExplainedRevisions> {
  const { clock } = ports;
  const { signal } = options;
  const notes: RevisionNote[] = [];
  const { revisions, directory, file, checkout } = pair;
  const [older, newer] = [await revisions.commit(pair.from, { signal }), await revisions.commit(pair.to, { signal })];
  const place = { directory, dockerfile: file };
  const before = await placeBefore(revisions, { older, newer, place, signal });
  const drafting = { revisions, checkout, options, lookUp, emit, notes, now: clock.now() };
  const one = await recordAt({ name: pair.from, commit: older, place: before }, drafting);
  const { files, ...other } = await recordAt({ name: pair.to, commit: newer, place }, drafting);
  return { ...explainRecords(one, other), notes, files };
}

type LookUp = (wanted: readonly WantedImage[]) => ReturnType<typeof gatherBases>;

/** What explaining needs of the outside. */
export interface RevisionSurroundings extends Omit<BuildSurroundings, "hear"> {
  readonly options: RevisionOptions;
  /** How base images are found; by default in their registries, each once. */
  readonly lookUp?: LookUp | undefined;
}

function lookUpOnce(
  { named, locked, signal }: RevisionOptions,
  { ports: { repositories }, emit }: Pick<BuildSurroundings, "ports" | "emit">,
): LookUp {
  const looked = new Map<string, ReturnType<typeof gatherBases>>();
  return (wanted) => {
    const key = JSON.stringify(wanted);
    const found = looked.get(key) ?? gatherBases(wanted, { repositories, named, locked, emit, signal });
    looked.set(key, found);
    return found;
  };
}

interface Drafting extends Pick<BuildSurroundings, "emit">, Pick<RevisionPair, "revisions" | "checkout"> {
  readonly options: RevisionOptions;
  readonly lookUp: LookUp;
  readonly notes: RevisionNote[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

interface Placed {
  /** What it was called by who asks. */
  readonly name: string;
  readonly commit: GitCommit;
  readonly place: BuildPlace;
}

async function recordAt(
  { name, commit, place }: Placed,
  drafting: Drafting,
): Promise<Named & Pick<ExplainedRevisions, "files">> {
  const { revisions, checkout, options, lookUp, emit, notes, now } = drafting;
  const { directory, dockerfile: file } = place;
  const { signal } = options;
  const text = await revisions.text(commit, file, { signal });
  if (text === undefined) {
    throw new LayerwiseError(
      "DOCKERFILE_NOT_FOUND",
      `could not read the Dockerfile ${file} at ${name}: it is not there`,
      {
        hint: "name it with --file; if it was elsewhere then, compare with a revision after the move",
      },
    );
  }
  const context = await revisions.context(commit, { directory, ...checkout, signal });
  if (context === undefined) {
    throw new LayerwiseError("CONTEXT_NOT_FOUND", `could not find the build context ${directory} at ${name}`, {
      hint: "name a directory that both revisions have",
    });
  }
  const beside = await revisions.text(commit, `${file}.dockerignore`, { signal });
  const ignoreFile = beside ?? (await revisions.text(commit, posix.join(directory, ".dockerignore"), { signal }));
  // What the machine has in a named directory says nothing of a revision.
  const otherContexts = [...(options.otherContexts ?? []), ...(options.directories?.keys() ?? [])];
  const at: BuildOptions = {
    ...options,
    directories: undefined,
    otherContexts,
    context,
    ignoreFile,
    dockerfile: { text, file },
  };
  const { dockerfile, wholeReason } = readDockerfile(at);
  const targetPlatform = options.platform ?? options.buildPlatform;
  const buildArgs = new Map([...(options.clientArgs ?? []), ...options.buildArgs]);
  const matcher = ignoreMatcher(at);
  try {
    if (wholeReason !== undefined) throw new Refusal(wholeReason, "whole");
    const draft = await draftChains({ ...at, dockerfile, targetPlatform, buildArgs, matcher, lookUp, emit });
    notes.push(...context.notes());
    const plan = { dockerfile, platform: draft.target.platform, route: "engine", evaluated: draft } as const;
    const said = { time: new Date(now).toISOString(), tool: options.version, salt: "revisions" };
    const ignore = parseIgnoreFile(ignoreFile ?? "");
    const record = recordPlan(plan, {
      ...said,
      target: options.target,
      ignore,
      noCache: false,
      refused: [],
      outcomes: [],
    });
    const files = { dockerfile, ignore: ignoreFile ?? "" };
    return { name, record: { ...(record as BuildRecord), revision: commit.id }, files };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new LayerwiseError("USAGE", `could not explain ${name}: ${describeReason(error.reason)}`, {
      hint: "nothing of its Dockerfile can be evaluated here: see docs/routes.md",
      at: error.reason.at,
    });
  }
}
