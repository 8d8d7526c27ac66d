// SPDX-License-Identifier: Apache-2.0
import type { Event, StepState } from "../../event.ts";

/** Reads what BuildKit prints with `--progress=plain`, line by line. */
export interface PlainProgress {
  /** The events of a line: the line itself, and a step if it tells of one. */
  line(text: string): readonly Event[];
  /** Names of the steps that failed. */
  readonly failed: readonly string[];
  /** The last line that reads as an error, without its prefix. */
  error(): string | undefined;
}

/** Starts reading. Works for every BuildKit since Docker 20.10; steps are `#7 [2/3] RUN …`, their ends `#7 DONE 0.3s`. */
export function readPlainProgress(): PlainProgress {
  const names = new Map<string, string>();
  const failed: string[] = [];
  let error: string | undefined;

  function stepOf(text: string): Event | undefined {
    const match = /^#(\d+) (.*)$/.exec(text);
    if (match === null) return undefined;
    const [, id, rest] = match as unknown as [string, string, string];
    const known = names.get(id);
    if (known === undefined) {
      if (!/^\[|^exporting|^pushing/.test(rest)) return undefined;
      names.set(id, rest);
      return step(rest, "started");
    }
    const done = /^DONE ([0-9.]+)s$/.exec(rest);
    if (done !== null) return step(known, "done", Number(done[1]) * 1000);
    if (rest === "CACHED") return step(known, "cached");
    if (!rest.startsWith("ERROR:") && rest !== "CANCELED") return undefined;
    if (rest === "CANCELED") return undefined;
    failed.push(known);
    return step(known, "failed");
  }

  return {
    failed,
    error: () => error,
    line(text) {
      const message = /^(?:ERROR|error|failed to solve(?: with frontend [^ :]+)?):? (.*)$/.exec(text);
      if (message !== null) error = message[1];
      const event = stepOf(text);
      return [{ kind: "engine-output", line: text }, ...(event === undefined ? [] : [event])];
    },
  };
}

function step(name: string, state: StepState, duration?: number): Event {
  return { kind: "engine-step", name, state, ...(duration === undefined ? {} : { duration }) };
}
