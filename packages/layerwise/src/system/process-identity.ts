// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";

/*
 * A process id alone is given to another process some day, and means something only on one machine, until its next
 * start, in one namespace of processes. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */

/** Names a process for good, in letters, digits and dashes; undefined where the system does not tell. */
export function processIdentity(pid: number): string | undefined {
  const [place, start] = [placeOfProcesses(), startOf(pid)];
  return place === undefined || start === undefined ? undefined : `${place}-${pid}-${start}`;
}

/** Whether a process has ended that {@link processIdentity} named. False if that cannot be known from here. */
export function hasEnded(identity: string): boolean {
  const match = /^([0-9a-f]+)-(\d+)-(\d+)$/.exec(identity);
  if (match === null || match[1] !== placeOfProcesses()) return false;
  return startOf(Number(match[2])) !== match[3];
}

/** This start of this machine and this namespace of processes. */
function placeOfProcesses(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const namespace = readlinkSync("/proc/self/ns/pid");
    return createHash("sha256").update(`${boot} ${namespace}`).digest("hex").slice(0, 16);
  } catch {
    return undefined;
  }
}

/** Clock ticks between the machine's start and the process's; undefined if it is gone. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name is the only field that can hold blanks, and it is in parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
