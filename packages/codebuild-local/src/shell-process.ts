// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";

/** How to start a shell. */
export interface ShellProcessOptions {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Receives what it writes, without the marks. */
  readonly output: (bytes: Buffer) => void;
  /** The word that a line begins with which says an exit code. */
  readonly mark: string;
}

/** How a command ended, and whether the shell is still there. */
export interface CommandEnd {
  readonly code: number;
  readonly isAlive: boolean;
}

/** A shell that reads lines from descriptor 3, and writes a mark with an exit code for each. */
export interface ShellProcess {
  /** Hands a line over and waits for its mark, or for the end of the shell. */
  feed(line: string): Promise<CommandEnd>;
  /** Ends it and its process group. */
  end(): Promise<void>;
}

/** Milliseconds between SIGTERM and SIGKILL. */
const killGrace = 2_000;
/** Milliseconds for the last output of a shell that has ended while something it started holds the pipe open. */
const lastOutput = 200;

/** Starts a shell as the leader of a process group. */
export function startShell([program = "", ...args]: readonly string[], options: ShellProcessOptions): ShellProcess {
  const { cwd, environment, output, mark } = options;
  const child = spawn(program, args, {
    cwd,
    env: environment,
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const lines = child.stdio[3] as Writable;
  lines.on("error", () => undefined);
  const ended = endOf(child);
  const reader = readMarks(mark, output);
  child.stdout?.on("data", reader.take);
  // Only what the programs before the shell write; the shell itself has joined both.
  child.stderr?.on("data", output);
  const drained = Promise.all([child.stdout, child.stderr].map((stream) => stream && once(stream, "close")));
  return {
    async feed(line) {
      const marked = reader.next();
      lines.write(line);
      const first = await Promise.race([marked, ended.then(() => undefined)]);
      if (first !== undefined) return { code: first, isAlive: true };
      await Promise.race([drained, pause(lastOutput)]);
      reader.flush();
      return { code: await ended, isAlive: false };
    },
    async end() {
      lines.end();
      await stop(child, ended);
    },
  };
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    // 127 is a shell's code for a program that is not there, 128 + n for one that a signal ended.
    child.once("error", () => resolve(127));
    child.once("exit", (code, name) => resolve(code ?? 128 + constants.signals[name ?? "SIGKILL"]));
  });
}

async function stop(child: ChildProcess, ended: Promise<number>): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  signal(pid, "SIGTERM");
  const timer = setTimeout(() => signal(pid, "SIGKILL"), killGrace);
  await ended;
  clearTimeout(timer);
  // What ignored the first signal and outlived its parent.
  signal(pid, "SIGKILL");
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // The group is gone already.
  }
}

interface MarkReader {
  readonly take: (bytes: Buffer) => void;
  /** The code of the next mark. */
  next(): Promise<number>;
  /** Gives out what is held back. */
  flush(): void;
}

/** Takes the marks out of an output. */
function readMarks(mark: string, output: (bytes: Buffer) => void): MarkReader {
  let held: Buffer = Buffer.alloc(0);
  let found: ((code: number) => void) | undefined;
  const give = (bytes: Buffer) => {
    if (bytes.length > 0) output(bytes);
  };
  return {
    take(bytes) {
      held = Buffer.concat([held, bytes]);
      const at = held.indexOf(mark);
      const end = at === -1 ? -1 : held.indexOf("\n", at);
      if (end !== -1) {
        const code = Number(held.subarray(at + mark.length, end).toString("utf8"));
        give(held.subarray(0, at));
        held = held.subarray(end + 1);
        found?.(code);
        return;
      }
      // A mark may have begun in what is here so far.
      const safe = at !== -1 ? at : Math.max(0, held.length - mark.length);
      const partial = at === -1 ? startOfMark(held, { mark, from: safe }) : at;
      give(held.subarray(0, partial));
      held = held.subarray(partial);
    },
    next: () =>
      new Promise((resolve) => {
        found = resolve;
      }),
    flush() {
      give(held);
      held = Buffer.alloc(0);
    },
  };
}

/** Where a mark might begin whose end has not come yet; the end of the bytes if nowhere. */
function startOfMark(bytes: Buffer, { mark, from }: { readonly mark: string; readonly from: number }): number {
  for (let at = from; at < bytes.length; at++) {
    if (mark.startsWith(bytes.subarray(at).toString("latin1"))) return at;
  }
  return bytes.length;
}
