// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import type { WrittenStep } from "./align-steps.ts";

/** What the steps of a build cost. */
export interface Costs {
  /** Seconds if they were measured; weights, which only compare, if nothing was. */
  readonly unit: "seconds" | "weight";
  /** Reports that were read. */
  readonly reports: number;
  /** What making a step costs. */
  readonly of: (step: WrittenStep) => StepCost;
  /** Seconds that a build takes beside its steps, by route; undefined where no report tells. */
  readonly beside: Readonly<Record<"reuse" | "assemble" | "engine", number | undefined>>;
}

/** What making one step costs, and how that is known. */
export interface StepCost {
  readonly value: number;
  /** `measured`: of this instruction; `kind`: the mean of others of its kind; `weight`; `none`: nothing tells. */
  readonly from: "measured" | "kind" | "weight" | "none";
}

const reportSchema = v.object({
  version: v.literal(1),
  route: v.picklist(["reuse", "assemble", "engine"]),
  steps: v.array(
    v.object({
      instruction: v.string(),
      state: v.picklist(["reused", "made"]),
      why: v.string(),
      seconds: v.number(),
    }),
  ),
  seconds: v.object({ total: v.number() }),
});

/** What costs are taken from: the part of a build's report that tells durations. */
export interface MeasuredReport {
  readonly route: "reuse" | "assemble" | "engine";
  readonly steps: readonly {
    readonly instruction: string;
    readonly state: "reused" | "made";
    readonly why: string;
    readonly seconds: number;
  }[];
  readonly seconds: { readonly total: number };
}

/**
 * Reads a report for its durations.
 *
 * @param file how messages name it
 * @throws USAGE if it is none
 */
export function decodeMeasuredReport(text: string, file: string): MeasuredReport {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    document = undefined;
  }
  const parsed = v.safeParse(reportSchema, document);
  if (parsed.success) return parsed.output;
  throw new LayerwiseError("USAGE", `could not read ${file}: it is no report of layerwise build`, {
    hint: "give files that layerwise build --report FILE.json wrote",
  });
}

/** What a RUN weighs beside a layer that is copied, where nothing was measured. */
const weights: Readonly<Record<string, number>> = { run: 10, copy: 1, add: 1, workdir: 0 };

/** Costs from what builds took. Pure. */
export function costsOf(reports: readonly MeasuredReport[]): Costs {
  const byText = new Map<string, number[]>();
  const byKind = new Map<string, number[]>();
  const beside = { reuse: [] as number[], assemble: [] as number[], engine: [] as number[] };
  for (const { route, steps, seconds } of reports) {
    const made = steps.filter(({ state, why }) => state === "made" && why !== "the engine had it");
    for (const step of made) {
      push(byText, step.instruction, step.seconds);
      push(byKind, kindOf(step.instruction), step.seconds);
    }
    const own = made.reduce((sum, step) => sum + step.seconds, 0);
    beside[route].push(Math.max(0, seconds.total - own));
  }
  const isMeasured = reports.length > 0;
  return {
    unit: isMeasured ? "seconds" : "weight",
    reports: reports.length,
    beside: { reuse: mean(beside.reuse), assemble: mean(beside.assemble), engine: mean(beside.engine) },
    of: ({ text, kind }) => {
      if (!isMeasured) return { value: weights[kind] ?? 1, from: "weight" };
      const own = mean(byText.get(text) ?? []);
      if (own !== undefined) return { value: own, from: "measured" };
      const similar = mean(byKind.get(kind) ?? []);
      return similar === undefined ? { value: 0, from: "none" } : { value: similar, from: "kind" };
    },
  };
}

function kindOf(instruction: string): string {
  return (/^\s*(\w+)/.exec(instruction)?.[1] ?? "").toLowerCase();
}

function push(lists: Map<string, number[]>, name: string, value: number): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [value]);
  else list.push(value);
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
