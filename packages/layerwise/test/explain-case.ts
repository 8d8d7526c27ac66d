// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";
import { parseIgnoreFile } from "../src/dockerfile/ignore.ts";
import { recordPlan } from "../src/explain/record-plan.ts";
import type { BuildRecord } from "../src/spec/build-record.ts";
import { checkpointTag } from "../src/spec/checkpoint.ts";
import type { Digest } from "../src/spec/digest.ts";
import { type DraftInput, draft } from "./draft.ts";

/** What a case says of one step: its line, the kind of a cause, and parts of what is said of it. */
export interface ExpectedCause {
  readonly line: number;
  readonly kind: string;
  readonly says?: readonly string[];
}

/** A scripted change to a build: one folder entry of `test/explain/`, see its README. */
export interface ExplainCase {
  readonly name: string;
  readonly description: string;
  readonly from: DraftInput;
  readonly to: DraftInput;
  /** The second build with only the first cause undone. */
  readonly undone: DraftInput;
  /** The first cause of each step that is explained, in the order of the Dockerfile. */
  readonly causes: readonly [ExpectedCause, ...ExpectedCause[]];
  /** What the engine does with the first of these steps: undefined if it cannot tell. */
  readonly engine: "executed" | "cached" | undefined;
  /** Why the engine does not rebuild, or cannot tell; undefined if it rebuilds. */
  readonly reason: string | undefined;
  /** The oldest generation of Docker that it holds for. */
  readonly since: number;
  /** Lines of steps that are made although their inputs are the same, and what the build says of checkpoints. */
  readonly made: readonly number[] | undefined;
  readonly noCache: boolean;
  readonly refused: { readonly line: number; readonly why: string } | undefined;
}

/** An input as a case has it: a Dockerfile is a list of lines. */
type CaseInput = Partial<Omit<DraftInput, "dockerfile">> & { readonly dockerfile?: readonly string[] };

interface CaseDocument {
  readonly description: string;
  readonly from: CaseInput;
  readonly to: CaseInput;
  readonly undo?: CaseInput;
  readonly causes: readonly ExpectedCause[];
  readonly engine: "executed" | "cached" | "unable";
  readonly reason?: string;
  readonly since?: number;
  readonly made?: readonly number[];
  readonly noCache?: boolean;
  readonly refused?: { readonly line: number; readonly why: string };
}

const fields = new Set("description from to undo causes engine reason since made noCache refused".split(" "));
const folder = new URL("explain/", import.meta.url);

/** Reads all cases. */
export function loadExplainCases(): readonly ExplainCase[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => {
    const document = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as CaseDocument;
    const unknown = Object.keys(document).find((field) => !fields.has(field));
    if (unknown !== undefined) throw new Error(`could not read the case ${name}: it has a field ${unknown}`);
    return caseOf(name.replace(/\.json$/, ""), document);
  });
}

function caseOf(name: string, document: CaseDocument): ExplainCase {
  const { description, from, to, undo, causes, engine, reason, since = 20, made, noCache = false, refused } = document;
  if ((engine === "executed") !== (reason === undefined)) {
    throw new Error(
      `could not read the case ${name}: one that the engine does not rebuild, and no other, has a reason`,
    );
  }
  const before = inputOf(from);
  const after = { ...before, ...partOf(to) };
  // One cause: undone, it is the build that it was.
  const undone = undo === undefined ? before : { ...after, ...partOf(undo) };
  const [first, ...rest] = causes;
  if (first === undefined) throw new Error(`could not read the case ${name}: it expects no cause`);
  return {
    name,
    description,
    from: before,
    to: after,
    undone,
    causes: [first, ...rest],
    engine: engine === "unable" ? undefined : engine,
    reason,
    since,
    made,
    noCache,
    refused,
  };
}

function inputOf({ dockerfile = [], ...rest }: CaseInput): DraftInput {
  return { ...rest, dockerfile: `${dockerfile.join("\n")}\n` };
}

function partOf({ dockerfile, ...rest }: CaseInput): Partial<DraftInput> {
  return dockerfile === undefined ? rest : inputOf({ dockerfile, ...rest });
}

/** What a build of an input is remembered as. */
export function recordOfDraft(input: DraftInput): BuildRecord {
  const { dockerfile, platform, evaluated, chain } = draft(input);
  const work = { kind: "reuse", chain, start: undefined } as const;
  const plan = { dockerfile, platform, route: "reuse", reasons: [], work, evaluated } as const;
  const ignore = parseIgnoreFile(input.ignore ?? "");
  const said = { time: "2026-11-26T12:00:00.000Z", tool: "1", salt: "s", target: input.target, ignore };
  const record = recordPlan(plan, { ...said, noCache: false, refused: [], outcomes: [] });
  if (record === undefined) throw new Error("nothing of the input could be evaluated");
  return record;
}

/** The second build of a case, as what became of its steps says. */
export function recordAfter({ to, made, noCache, refused }: ExplainCase): BuildRecord {
  const record = recordOfDraft(to);
  const stages = record.stages.map((stage) => ({
    ...stage,
    steps: stage.steps.map((step) => ({ ...step, state: made?.includes(step.line) ? "made" : step.state }) as const),
  }));
  const flawed = stages.flatMap(({ steps }) => steps).find(({ line }) => line === refused?.line);
  const tags = refused && flawed ? [{ tag: checkpointTag(flawed.key as Digest), why: refused.why }] : [];
  return { ...record, stages, noCache, refused: tags };
}
