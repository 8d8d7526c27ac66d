// SPDX-License-Identifier: Apache-2.0
import { readdirSync, rmdirSync } from "node:fs";
import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const cgroupRoot = "/sys/fs/cgroup";

/**
 * Removes a control group and those in it, in every hierarchy. Its processes must have ended.
 *
 * Synchronous, since it is also done while the process ends; it is a handful of system calls.
 */
export function removeCgroup(name: string): void {
  // Version 2 has one hierarchy, version 1 one folder per controller.
  const hierarchies = [cgroupRoot, ...foldersOf(cgroupRoot).map((folder) => join(cgroupRoot, folder))];
  for (const hierarchy of hierarchies) removeTree(join(hierarchy, name));
}

function removeTree(folder: string): void {
  for (const child of foldersOf(folder)) removeTree(join(folder, child));
  try {
    rmdirSync(folder); // The files in it are no obstacle: they are the kernel's.
  } catch {
    // It is not there, or a process in it is still dying; the next sweep gets it.
  }
}

function foldersOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

/**
 * Lets engines make control groups with controllers where this machine is itself a container with cgroup v2.
 *
 * The kernel allows controllers below a group only if no process is in the group itself, so all processes of this
 * container move into a child of it. https://docs.kernel.org/admin-guide/cgroup-v2.html#no-internal-process-constraint
 *
 * @param root the top of the hierarchy as seen from here
 */
export async function delegateCgroup(root: string = cgroupRoot): Promise<void> {
  const controllers = await readFile(join(root, "cgroup.controllers"), "utf8").catch(() => undefined);
  // Only the hierarchy's true top lacks a type, and it may hold processes and controllers at once.
  const isNested = await access(join(root, "cgroup.type")).then(
    () => true,
    () => false,
  );
  if (controllers === undefined || !isNested) return;
  const enabled = await readFile(join(root, "cgroup.subtree_control"), "utf8");
  const lacking = controllers
    .trim()
    .split(/\s+/)
    .filter((name) => name !== "" && !enabled.split(/\s+/).includes(name));
  if (lacking.length === 0 && (await processesOf(root)).length === 0) return;
  const child = join(root, "layerwise-lab-outside");
  await mkdir(child, { recursive: true });
  for (const pid of await processesOf(root)) {
    await writeFile(join(child, "cgroup.procs"), pid).catch(() => {}); // It may have ended meanwhile.
  }
  for (const name of lacking) {
    await writeFile(join(root, "cgroup.subtree_control"), `+${name}`).catch(() => {}); // Not all can be delegated.
  }
}

async function processesOf(group: string): Promise<readonly string[]> {
  const text = await readFile(join(group, "cgroup.procs"), "utf8");
  return text.split("\n").filter((pid) => pid !== "");
}
