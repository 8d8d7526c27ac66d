// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { run } from "../src/index.ts";

/** What belongs to one engine outside of its folder. */
export interface Belongings {
  readonly folder: string;
  /** The number of its network device on this machine. */
  readonly device: number;
}

interface Device {
  readonly ifindex: number;
  readonly link_index?: number;
}

/** Milliseconds that the kernel gets to clear away namespaces; it does so in the background. */
const patience = 15_000;

/** Notes what a running engine has. */
export async function belongingsOf(shim: string): Promise<Belongings> {
  const folder = dirname(shim);
  const { pid } = JSON.parse(await readFile(join(folder, "holder.json"), "utf8")) as { readonly pid: number };
  const { stdout } = await run(["nsenter", "--target", String(pid), "--net", "ip", "-json", "link", "show", "eth0"]);
  const [inside] = JSON.parse(stdout) as Device[];
  return { folder, device: inside?.link_index ?? -1 };
}

/** What is left of an engine, after giving it time to vanish; with its folder only if asked. */
export async function leftoversOf(belongings: Belongings, options: { folder: boolean }): Promise<readonly string[]> {
  const deadline = performance.now() + patience;
  for (;;) {
    const left = await leftNow(belongings, options);
    if (left.length === 0 || performance.now() > deadline) return left;
    await pause(50);
  }
}

async function leftNow({ folder, device }: Belongings, options: { folder: boolean }): Promise<readonly string[]> {
  const id = basename(folder);
  const left: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // The mounts of every namespace show up with one of its processes.
    for (const file of ["cmdline", "mountinfo", "cgroup"]) {
      const text = await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
      if (text.includes(id)) left.push(`process ${pid} has ${id} in its ${file}`);
    }
  }
  const devices = JSON.parse((await run(["ip", "-json", "link", "show"])).stdout) as Device[];
  if (devices.some(({ ifindex }) => ifindex === device)) left.push(`network device ${device}`);
  if (options.folder) left.push(...(await cgroupsNamed(id)), ...(await foldersNamed(id, dirname(folder))));
  return left;
}

async function cgroupsNamed(id: string): Promise<readonly string[]> {
  const { stdout } = await run(["find", "/sys/fs/cgroup", "-name", id]);
  return stdout.split("\n").filter((line) => line !== "");
}

async function foldersNamed(id: string, parent: string): Promise<readonly string[]> {
  return (await readdir(parent)).filter((name) => name === id);
}
