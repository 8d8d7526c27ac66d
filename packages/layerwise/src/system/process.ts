// SPDX-License-Identifier: Apache-2.0
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LayerwiseError } from "../error.ts";
import { type LineSplitter, startLines } from "./lines.ts";
import { endGroup, forgetGroup, guardGroup, rememberGroup } from "./process-group.ts";

/** How a program is run. */
export interface ProcessOptions {
  /** What it reads; nothing by default. An error of the stream ends the process and is thrown. */
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** The whole environment; this process's own by default. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Ends the process; the call then throws CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the process is ended. */
  readonly timeout?: number | undefined;
  /** Whether the process must end even if this one is killed; costs another, tiny process. */
  readonly isGuarded?: boolean | undefined;
  /** Receives each line as it is written; of stdout only from {@link runProcess}. */
  readonly onLine?: ((line: string, stream: "stdout" | "stderr") => void) | undefined;
}

/** How a process ended. `errorTail` is the end of what it wrote to stderr. */
export type ProcessEnd =
  | { readonly kind: "exited"; readonly exitCode: number; readonly errorTail: string }
  | { readonly kind: "killed"; readonly signal: string; readonly errorTail: string }
  | { readonly kind: "timed-out"; readonly errorTail: string }
  /** ENOENT: there is no such program (or no such working directory). */
  | { readonly kind: "not-started"; readonly reason: string };

/** A process whose stdout is read as a stream. */
export interface RunningProcess {
  /**
   * What it writes, with backpressure. Must be read to the end or left with `break` or `return`, which ends the process.
   */
  readonly stdout: AsyncIterable<Uint8Array>;
  /** Settles when the process is gone and its output is read. Throws CANCELLED or the error of stdin's stream. */
  readonly ended: Promise<ProcessEnd>;
}

/** Longest end of stderr that is kept for error messages, in characters. */
const maxErrorTail = 16 * 1024;

/** Most bytes of stdout that {@link runProcess} keeps; what follows is read and dropped. */
const maxOutputBytes = 1024 * 1024;

/**
 * Runs a program to its end.
 *
 * The program is started without a shell, in its own process group, which is ended as a whole.
 */
export async function runProcess(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<{ readonly end: ProcessEnd; readonly stdout: Buffer }> {
  const running = startProcess(program, args, options);
  const lines = options.onLine === undefined ? undefined : startLines((line) => options.onLine?.(line, "stdout"));
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of running.stdout) {
    lines?.write(chunk);
    const room = maxOutputBytes - length;
    if (room > 0) kept.push(chunk.subarray(0, room));
    length += chunk.length;
  }
  lines?.end();
  return { end: await running.ended, stdout: Buffer.concat(kept) };
}

/** Starts a program whose output is read while it runs; otherwise as {@link runProcess}. */
export function startProcess(program: string, args: readonly string[], options: ProcessOptions = {}): RunningProcess {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: "pipe",
  });
  if (options.isGuarded === true) guardGroup(child);
  const ended = watch(child, program, options);
  // Whoever reads stdout awaits `ended` afterwards; until then a rejection is not unhandled.
  ended.catch(() => undefined);
  return { stdout: readOutput(child), ended };
}

async function watch(
  child: ChildProcessWithoutNullStreams,
  program: string,
  { stdin, signal, timeout, onLine }: ProcessOptions,
): Promise<ProcessEnd> {
  const stderr = keepTail(child, onLine);
  let timedOut = false;
  const stop = () => endGroup(child);
  const timer =
    timeout === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          stop();
        }, timeout);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  rememberGroup(child);
  try {
    const [end, source] = await Promise.all([waitForEnd(child), feed(child, stdin)]);
    if (signal?.aborted === true)
      throw new LayerwiseError("CANCELLED", `could not run ${program} to its end: cancelled`);
    if (source.error !== undefined) throw source.error;
    const errorTail = stderr();
    if (end.kind === "not-started") return end;
    return timedOut ? { kind: "timed-out", errorTail } : { ...end, errorTail };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    forgetGroup(child);
  }
}

type BareEnd =
  | { kind: "exited"; exitCode: number }
  | { kind: "killed"; signal: string }
  | { kind: "not-started"; reason: string };

function waitForEnd(child: ChildProcessWithoutNullStreams): Promise<BareEnd> {
  return new Promise((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) resolve({ kind: "not-started", reason: error.code ?? error.message });
    });
    child.once("close", (exitCode, signal) => {
      if (signal !== null) resolve({ kind: "killed", signal });
      else resolve({ kind: "exited", exitCode: exitCode ?? 0 });
    });
  });
}

/** Writes stdin. A process may end without having read it; only an error of the source counts, and ends the process. */
async function feed(
  child: ChildProcessWithoutNullStreams,
  stdin: ProcessOptions["stdin"],
): Promise<{ error?: unknown }> {
  const failure: { error?: unknown } = {};
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      if (typeof stdin === "string") yield Buffer.from(stdin);
      else if (stdin instanceof Uint8Array) yield stdin;
      else if (stdin !== undefined) yield* stdin;
    } catch (error) {
      failure.error = error;
      endGroup(child);
    }
  }
  await pipeline(Readable.from(source(), { objectMode: false }), child.stdin).catch(() => undefined);
  return failure;
}

async function* readOutput(child: ChildProcessWithoutNullStreams): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
  } finally {
    if (!child.stdout.readableEnded) endGroup(child);
  }
}

function keepTail(child: ChildProcessWithoutNullStreams, onLine: ProcessOptions["onLine"]): () => string {
  let tail = "";
  const lines: LineSplitter = startLines((line) => {
    tail = `${tail}${line}\n`.slice(-maxErrorTail);
    onLine?.(line, "stderr");
  });
  child.stderr.on("data", (chunk: Buffer) => lines.write(chunk));
  child.stderr.once("end", () => lines.end());
  return () => tail.trimEnd();
}
