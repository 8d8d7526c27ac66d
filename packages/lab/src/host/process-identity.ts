// SPDX-License-Identifier: Apache-2.0
import { readFile, readlink } from "node:fs/promises";

/** Names one process for good: a process id alone is given to another one some day. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot. */
  readonly started: string;
  readonly boot: string;
  /** The process id means something only in this namespace. */
  readonly pidNamespace: string;
}

/** The identity of a running process, or undefined if there is none with this id. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const started = await startOf(pid);
  if (started === undefined) return undefined;
  return { pid, started, boot: await bootId(), pidNamespace: await readlink("/proc/self/ns/pid") };
}

/**
 * Whether the process still runs.
 *
 * True if that cannot be known: it belongs to another container that shares our folder.
 */
export async function isRunning(process: ProcessIdentity): Promise<boolean> {
  if (process.boot !== (await bootId())) return false;
  if (process.pidNamespace !== (await readlink("/proc/self/ns/pid"))) return true;
  return (await startOf(process.pid)) === process.started;
}

/** When a process started; undefined if it is gone or a zombie. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name is the only field that can hold blanks, and it is in parentheses: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === "Z" || state === "X" ? undefined : started;
}

async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}
