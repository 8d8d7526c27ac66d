// SPDX-License-Identifier: Apache-2.0
import type { BuildEvent, BuildResult, PhaseResult } from "./build-event.ts";
import { type Buildspec, type PhaseName, type PhaseSpec, phaseNames } from "./buildspec.ts";
import { type NextPhase, phaseAfter } from "./phase-order.ts";
import { createSecretMask } from "./secret-mask.ts";
import type { ShellSession } from "./shell-session.ts";

/** What running phases needs. */
export interface PhasesOptions {
  readonly openShell: (output: (bytes: Buffer) => void) => ShellSession;
  /** Values that are hidden in the log. */
  readonly secrets: readonly string[];
  /** Names of variables to export. */
  readonly exported: readonly string[];
  /** Milliseconds for all phases. */
  readonly timeout: number;
  readonly emit: (event: BuildEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How the phases went. */
export interface PhasesResult {
  readonly phases: readonly PhaseResult[];
  /** Set if the build did not come to its own end. */
  readonly ended: "TIMED_OUT" | "STOPPED" | undefined;
  /** Whether artifacts are looked for. */
  readonly uploads: boolean;
  readonly exportedVariables: BuildResult["exportedVariables"];
}

interface Running extends PhasesOptions {
  readonly shell: ShellSession;
  /** What of the log the current phase has written, for patterns of retries. */
  readonly written: string[];
  /** Shows what has no end of line yet. */
  readonly flush: () => void;
  readonly ended: () => PhasesResult["ended"];
}

/** Runs the phases of a buildspec in one shell, in the order that their results lead to. */
export async function runPhases(buildspec: Buildspec, options: PhasesOptions): Promise<PhasesResult> {
  const mask = createSecretMask(options.secrets);
  const written: string[] = [];
  const tell = (text: string) => {
    if (text === "") return;
    written.push(text);
    options.emit({ kind: "output", text });
  };
  const shell = options.openShell((bytes) => tell(mask.take(bytes)));
  let ended: PhasesResult["ended"];
  const end = (why: PhasesResult["ended"]) => {
    ended ??= why;
    void shell.end();
  };
  const timer = setTimeout(() => end("TIMED_OUT"), options.timeout);
  const stop = () => end("STOPPED");
  options.signal?.addEventListener("abort", stop);
  if (options.signal?.aborted) stop();
  try {
    const running: Running = { ...options, shell, written, flush: () => tell(mask.flush()), ended: () => ended };
    const { phases, next } = await phasesOf(buildspec, running);
    const exportedVariables = ended === undefined ? Object.fromEntries(await shell.values(options.exported)) : {};
    return { phases, ended, uploads: ended === undefined && next === "UPLOAD_ARTIFACTS", exportedVariables };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", stop);
    await shell.end();
  }
}

async function phasesOf(buildspec: Buildspec, running: Running): Promise<{ phases: PhaseResult[]; next: NextPhase }> {
  const phases: PhaseResult[] = [];
  let next: NextPhase = phaseNames[0];
  while (next !== "UPLOAD_ARTIFACTS" && next !== "FINALIZING" && running.ended() === undefined) {
    const name: PhaseName = next;
    const spec = buildspec.phases[name];
    const isSucceeding = phases.every(({ status }) => status === "SUCCEEDED");
    if (spec === undefined) {
      next = phaseAfter(name, { failed: false, onFailure: { kind: "default" } });
      continue;
    }
    const result = await runPhase(name, { spec, running, isSucceeding });
    phases.push(result);
    next = phaseAfter(name, { failed: result.status !== "SUCCEEDED", onFailure: spec.onFailure });
  }
  return { phases, next };
}

interface PhaseRun {
  readonly spec: PhaseSpec;
  readonly running: Running;
  /** Whether everything before has succeeded. */
  readonly isSucceeding: boolean;
}

async function runPhase(name: PhaseName, { spec, running, isSucceeding }: PhaseRun): Promise<PhaseResult> {
  const { emit, ended } = running;
  const startTime = Date.now();
  const type = name.toUpperCase();
  emit({ kind: "phase-begins", phase: type });
  const retries = spec.onFailure.kind === "retry" ? spec.onFailure.count : 0;
  let context: PhaseResult["context"];
  for (let attempt = 0; attempt <= retries && ended() === undefined; attempt++) {
    running.written.length = 0;
    context = await runCommands(spec, { running, isSucceeding });
    if (context === undefined || !mayRetry(spec, `${running.written.join("")}\n${context.message}`)) break;
    if (attempt < retries) emit({ kind: "note", text: `retry ${attempt + 1} of ${retries} of ${type}` });
  }
  const failure = context === undefined ? "SUCCEEDED" : "FAILED";
  const phase: PhaseResult = { type, status: ended() ?? failure, startTime, endTime: Date.now(), context };
  emit({ kind: "phase-ends", phase });
  return phase;
}

function mayRetry({ onFailure }: PhaseSpec, text: string): boolean {
  return onFailure.kind === "retry" && onFailure.pattern.test(text);
}

/** Runs the commands up to the first that fails, then those of `finally` in any case. */
async function runCommands(
  { commands, finally: last }: PhaseSpec,
  { running, isSucceeding }: Omit<PhaseRun, "spec">,
): Promise<PhaseResult["context"]> {
  let context: PhaseResult["context"];
  for (const block of [commands, last]) {
    for (const command of block) {
      if (running.ended() !== undefined) return context;
      running.emit({ kind: "command", command });
      const code = await running.shell.run(command, { succeeding: isSucceeding && context === undefined });
      running.flush();
      if (code === 0) continue;
      const message = `Error while executing command: ${command}. Reason: exit status ${code}`;
      context ??= { statusCode: "COMMAND_EXECUTION_ERROR", message };
      break;
    }
  }
  return context;
}
