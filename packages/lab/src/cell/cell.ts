// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../host/lab-error.ts";
import { hostEnvironment } from "../host/lab-home.ts";
import { identityOf } from "../host/process-identity.ts";
import { type Output, type RunOptions, run } from "../host/run.ts";
import type { Instance } from "./instance.ts";

/** A kind of namespace of a cell. */
export type Namespace = "mount" | "net" | "pid";

/**
 * Namespaces of their own for processes, mounts and, if wanted, network devices.
 *
 * They live as long as a first process that reads from a pipe of ours. When we end, in whatever way, the pipe closes,
 * the first process ends, the kernel kills all others of the cell, and with them its mounts and devices go.
 */
export interface Cell {
  /** The first process, as seen from outside. */
  readonly pid: number;
  /** The command line that runs a command in some of the cell's namespaces. */
  entering(namespaces: readonly Namespace[], argv: readonly string[]): readonly string[];
  /** Runs a program of this machine among the cell's processes and mounts. */
  run(argv: readonly string[], options?: RunOptions): Promise<Output>;
  /** Ends everything in the cell. */
  end(): Promise<void>;
}

/** Says its process id outside before it sees only the cell's processes; a shell, because it has to reap orphans. */
const firstProcess = `
  read -r pid _ < /proc/self/stat
  mount -t proc proc /proc || exit
  echo "$pid"
  while read -r _; do :; done`;

/** Milliseconds that killed processes get to vanish while this process ends. */
const patience = 5_000;

/** Makes a cell; it ends with the instance. */
export async function startCell(instance: Instance, options: { readonly network: boolean }): Promise<Cell> {
  const network = options.network ? ["--net"] : [];
  const holder = spawn(
    "unshare",
    ["--fork", "--kill-child", "--pid", "--mount", "--propagation", "private", ...network, "bash", "-c", firstProcess],
    { env: hostEnvironment(), stdio: ["pipe", "pipe", "pipe"], detached: true },
  );
  holder.stdin.on("error", () => {});
  const ended = new Promise<void>((resolve) => void holder.once("exit", () => resolve()));
  const pid = await firstPid(holder);
  // Nothing of it keeps our event loop alive: a forgotten cell must not make a process hang.
  holder.unref();
  for (const stream of holder.stdio) (stream as { unref?: () => void } | null)?.unref?.();
  await writeFile(join(instance.folder, "holder.json"), JSON.stringify(await identityOf(pid)));
  const cell = cellOf(holder, { pid, ended });
  instance.hold({ end: cell.end, endNow: () => endNow(holder, pid) });
  return cell;
}

async function firstPid(holder: ChildProcess): Promise<number> {
  const said = { stdout: "", stderr: "" };
  holder.stderr?.on("data", (chunk) => (said.stderr += chunk));
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) =>
      reject(
        new LabError(`could not make namespaces: ${why.trim()} (this needs root, and in a container --privileged)`),
      );
    holder.once("error", (error) => fail(error.message));
    holder.once("exit", (code) => fail(said.stderr || `exit code ${code}`));
    holder.stdout?.on("data", (chunk) => {
      said.stdout += chunk;
      if (said.stdout.includes("\n")) resolve();
    });
  });
  return Number(said.stdout);
}

function cellOf(holder: ChildProcess, known: { readonly pid: number; readonly ended: Promise<void> }): Cell {
  const entering = (namespaces: readonly Namespace[], argv: readonly string[]): readonly string[] => {
    // The process id would be given to someone else some day.
    if (hasEnded(holder)) throw new LabError("could not enter a cell: it has ended");
    return ["nsenter", "--target", String(known.pid), ...namespaces.map((name) => `--${name}`), "--", ...argv];
  };
  return {
    pid: known.pid,
    entering,
    run: (argv, options) => run(entering(["mount", "pid"], argv), options),
    end: async () => {
      holder.ref();
      killFirst(holder, known.pid);
      holder.stdin?.destroy();
      await known.ended;
    },
  };
}

function hasEnded(holder: ChildProcess): boolean {
  return holder.exitCode !== null || holder.signalCode !== null;
}

/** Kills the first process, and says whether it was there. */
function killFirst(holder: ChildProcess, pid: number): boolean {
  if (hasEnded(holder)) return false;
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false; // It ended just now.
  }
}

/** Ends a cell while this process ends, when nothing asynchronous happens any more. */
function endNow(holder: ChildProcess, pid: number): void {
  if (!killFirst(holder, pid)) return;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < patience && !isZombie(holder.pid); waited += 10) Atomics.wait(pause, 0, 0, 10);
}

/** The parent of the cell's first process ends after all of the cell has, and then waits for us to notice. */
function isZombie(pid: number | undefined): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return true;
  }
}
