// SPDX-License-Identifier: Apache-2.0
import type { Advice, Observed } from "../src/advise/advice.ts";
import { advise } from "../src/advise/advise.ts";
import { applyEdits } from "../src/advise/edit.ts";
import { parseDockerfile } from "../src/dockerfile/parse.ts";
import type { Explanation } from "../src/explain/cause.ts";
import { explainRecords } from "../src/explain-build.ts";
import type { BuildRecord } from "../src/spec/build-record.ts";
import type { DraftInput } from "./draft.ts";
import { recordOfDraft } from "./explain-case.ts";

/** A change to a build as something that was observed. */
export interface ObservedChange {
  readonly from: DraftInput;
  readonly to: DraftInput;
  /** Builds before `from`, the newest first. */
  readonly earlier?: readonly DraftInput[];
}

/** How long each RUN took, for costs. */
export const runSeconds = 20;

/** What a change makes a build do. */
export function explained({ from, to }: Pick<ObservedChange, "from" | "to">): Explanation {
  const [record, after] = [recordOfDraft(from), recordOfDraft(to)];
  return explainRecords({ name: "before", record }, { name: "after", record: after }).explanation;
}

/** The advice that a change gives rise to. */
export function adviceFor(change: ObservedChange): readonly Advice[] {
  const builds = [change.from, ...(change.earlier ?? [])].map((input) => timed(recordOfDraft(input)));
  const observed: Observed = {
    explanation: explained(change),
    after: recordOfDraft(change.to),
    earlier: builds,
    dockerfile: parseDockerfile(change.to.dockerfile, "Dockerfile"),
    ignore: change.to.ignore ?? "",
  };
  return advise(observed);
}

function timed(record: BuildRecord): BuildRecord {
  const stages = record.stages.map((stage) => ({
    ...stage,
    steps: stage.steps.map((step) => ({ ...step, seconds: step.kind === "run" ? runSeconds : 0 })),
  }));
  return { ...record, stages };
}

/** The input as the advice would have it. */
export function advised(input: DraftInput, { edits }: Advice): DraftInput {
  const of = (file: string) => edits.filter((edit) => edit.file === file);
  return {
    ...input,
    dockerfile: applyEdits(input.dockerfile, of("dockerfile")),
    ignore: applyEdits(input.ignore ?? "", of("ignore")),
  };
}
