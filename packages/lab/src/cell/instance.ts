// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { labHome } from "../host/lab-home.ts";
import { withLock } from "../host/lock.ts";
import { onProcessEnd } from "../host/on-process-end.ts";
import { identityOf, isRunning, type ProcessIdentity } from "../host/process-identity.ts";
import { removeCgroup } from "./cgroup.ts";

/** Something that runs for this process only: its folder and control group vanish with it. */
export interface Instance {
  /** Unique on this machine; also the name of its control group. */
  readonly id: string;
  readonly folder: string;
  /** Adds something that has to end before the folder goes. */
  hold(part: InstancePart): void;
  /** Ends all parts, then removes the folder and the control group. */
  remove(): Promise<void>;
}

/** Something that runs in an instance's folder. Ending it twice is allowed. */
export interface InstancePart {
  end(): Promise<void>;
  /** Ends it while this process ends, when nothing asynchronous happens any more. */
  endNow(): void;
}

/** How often a folder is tried again in which dying processes still write. */
const removal = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 } as const;

/**
 * Starts an instance, after clearing away those whose processes died without doing so.
 *
 * @param kind what it is, for people who look into the folder
 */
export async function claimInstance(kind: string): Promise<Instance> {
  const id = `layerwise-lab-${kind}-${randomBytes(4).toString("hex")}`;
  const folder = join(await labHome(), "run", id);
  await withLock("instances", async () => {
    await sweep();
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "owner.json"), JSON.stringify(await identityOf(process.pid)));
  });
  const parts = new Set<InstancePart>();
  const withdraw = onProcessEnd(() => {
    for (const part of parts) part.endNow();
    removeCgroup(id);
    rmSync(folder, removal);
  });
  return {
    id,
    folder,
    hold: (part) => void parts.add(part),
    remove: async () => {
      await Promise.all([...parts].map((part) => part.end()));
      removeCgroup(id);
      await rm(folder, removal);
      withdraw();
    },
  };
}

async function sweep(): Promise<void> {
  const run = join(await labHome(), "run");
  for (const id of await readdir(run).catch(() => [])) {
    const folder = join(run, id);
    const owner = await identityIn(join(folder, "owner.json"));
    if (owner !== undefined && (await isRunning(owner))) continue;
    await endHolder(folder);
    removeCgroup(id);
    await rm(folder, removal);
  }
}

/** A cell ends with its owner by itself; this is for one that was stopped by a debugger or hangs in the kernel. */
async function endHolder(folder: string): Promise<void> {
  const holder = await identityIn(join(folder, "holder.json"));
  if (holder !== undefined && (await isRunning(holder))) process.kill(holder.pid, "SIGKILL");
}

/** Undefined if the file is missing or cut off: its writer died. */
async function identityIn(file: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
