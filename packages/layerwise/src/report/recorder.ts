// SPDX-License-Identifier: Apache-2.0
import type { Emit, Event } from "../event.ts";

/** What a build's events add up to. */
export interface Recorded {
  readonly requests: { readonly count: number; readonly sent: number; readonly received: number };
  readonly blobs: Readonly<
    Record<"present" | "mounted" | "uploaded", { readonly count: number; readonly bytes: number }>
  >;
  /** By stage and position, see `stepId`. */
  readonly steps: ReadonlyMap<string, RecordedStep>;
  readonly engine: string | undefined;
  readonly checkpointsFound: readonly { readonly tag: string; readonly instruction: string }[];
  readonly checkpointsSaved: readonly { readonly tag: string; readonly instruction: string }[];
  readonly checkpointsRefused: readonly { readonly tag: string; readonly why: string }[];
  readonly warnings: readonly string[];
  /** Milliseconds of each phase. */
  readonly durations: Readonly<Record<Phase, number>>;
}

/** What happened to one step. */
export interface RecordedStep {
  readonly by: "assemble" | "engine";
  /** The engine had the result already. */
  readonly cached: boolean;
  /** Milliseconds since the build began. */
  readonly start: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** The parts of a build that are timed. */
export type Phase = "plan" | "produce" | "verify" | "publish" | "save";

/** Listens to a build. */
export interface Recorder {
  readonly emit: Emit;
  /** Says that a phase ended and the next one begins. */
  ended(phase: Phase): void;
  result(): Recorded;
}

/** How a step is named in {@link Recorded}. */
export function stepId(stage: number, step: number): string {
  return `${stage}:${step}`;
}

/**
 * Starts recording; events are passed on.
 *
 * @param ticks milliseconds since some moment
 */
export function recordEvents(emit: Emit, ticks: () => number): Recorder {
  const requests = { count: 0, sent: 0, received: 0 };
  const blobs = { present: zero(), mounted: zero(), uploaded: zero() };
  const steps = new Map<string, RecordedStep>();
  const found: { tag: string; instruction: string }[] = [];
  const saved: { tag: string; instruction: string }[] = [];
  const refused: { tag: string; why: string }[] = [];
  const warnings: string[] = [];
  const durations: Record<Phase, number> = { plan: 0, produce: 0, verify: 0, publish: 0, save: 0 };
  let engine: string | undefined;
  const began = ticks();
  let since = began;
  /** Events come when something ends. */
  const startOf = (duration: number) => Math.max(0, ticks() - duration - began);

  function record(event: Event): void {
    switch (event.kind) {
      case "request":
        requests.count += 1;
        requests.sent += event.sent;
        requests.received += event.received;
        break;
      case "blob-present":
      case "blob-mounted":
      case "blob-uploaded": {
        const counted = blobs[event.kind.slice("blob-".length) as keyof typeof blobs];
        counted.count += 1;
        counted.bytes += event.bytes;
        break;
      }
      case "step":
        if (event.state !== "started") noteStep(event);
        break;
      case "layer-assembled":
        steps.set(stepId(event.stage, event.step), {
          by: "assemble",
          cached: false,
          start: startOf(event.duration),
          duration: event.duration,
        });
        break;
      case "engine-started":
        engine = event.engine;
        break;
      case "checkpoint-found":
        found.push({ tag: event.tag, instruction: event.instruction });
        break;
      case "checkpoint-saved":
        saved.push({ tag: event.tag, instruction: event.instruction });
        break;
      case "checkpoint-refused":
        refused.push({ tag: event.tag, why: event.why });
        break;
      case "warning":
        warnings.push(event.message);
        break;
      default:
    }
  }

  /** An engine that gives a stage out again has it cached then; what counts is that it made it before. */
  function noteStep({ stage, step, state, duration }: Extract<Event, { kind: "step" }>): void {
    const id = stepId(stage, step);
    const cached = state === "cached";
    if (cached && steps.has(id)) return;
    steps.set(id, { by: "engine", cached, start: startOf(duration ?? 0), duration: duration ?? 0 });
  }

  return {
    emit(event) {
      record(event);
      emit(event);
    },
    ended(phase) {
      const now = ticks();
      durations[phase] += now - since;
      since = now;
    },
    result: () => ({
      requests,
      blobs,
      steps,
      engine,
      checkpointsFound: found,
      checkpointsSaved: saved,
      checkpointsRefused: refused,
      warnings,
      durations,
    }),
  };
}

function zero(): { count: number; bytes: number } {
  return { count: 0, bytes: 0 };
}
