// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";

/*
 * A child that was started as the leader of a process group is ended with everything that it started.
 */

/** Milliseconds between SIGTERM and SIGKILL. */
const killGrace = 2_000;

/** Groups that have not ended. */
const live = new Set<number>();
let watchesExit = false;

/** Ends the child's group with this process, if it should come to that. */
export function rememberGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  live.add(pid);
  if (watchesExit) return;
  watchesExit = true;
  process.once("exit", () => {
    for (const group of live) signalGroup(group, "SIGKILL");
  });
}

/**
 * Ends the child's group also if this process is killed, when it can do nothing itself any more: a shell waits until the
 * pipe from here says that the child has ended, or breaks. Without a shell the group ends when its output goes nowhere.
 */
export function guardGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  const script = 'read -r _ || kill -s TERM -- "-$1"';
  const guard = spawn("/bin/sh", ["-c", script, "sh", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.on("error", () => undefined);
  guard.stdin.on("error", () => undefined);
  child.once("close", () => guard.stdin.end("\n"));
}

/** The opposite of {@link rememberGroup}, for a child that has ended. */
export function forgetGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) live.delete(pid);
}

/** Asks the child's group to end, and ends it if it does not. */
export function endGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  signalGroup(pid, "SIGTERM");
  const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), killGrace);
  child.once("close", () => clearTimeout(timer));
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // The group is gone already.
  }
}
