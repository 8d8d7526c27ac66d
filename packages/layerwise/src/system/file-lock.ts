// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { link, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { CallOptions } from "../ports.ts";

/** A lock that this process holds. */
export interface FileLock {
  /** Whether nobody has taken the lock away; asked right before the change that it protects. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/** Milliseconds after which a lock counts as left behind: holders need some milliseconds. */
const staleAfter = 10_000;

/** Milliseconds between two looks at a lock that another holds, plus as much again at random. */
const pollInterval = 5;

/**
 * Takes a lock that holds between processes, also of different machines that share the directory.
 * Waits for it; a lock that was left behind is taken away.
 */
export async function takeLock(path: string, { signal }: CallOptions = {}): Promise<FileLock> {
  const owner = randomUUID();
  while (!(await create(path, owner))) {
    signal?.throwIfAborted();
    await removeIfStale(path);
    await pause(pollInterval * (1 + Math.random()), undefined, { signal });
  }
  const isHeld = async () => (await ownerOf(path)) === owner;
  return {
    isHeld,
    async release() {
      if (await isHeld()) await unlink(path).catch(() => undefined);
    },
  };
}

async function create(path: string, owner: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(owner).finally(() => file.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function ownerOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** Moves a stale lock aside; if another process was faster and it is a fresh one by now, puts it back. */
async function removeIfStale(path: string): Promise<void> {
  const before = await stat(path).catch(() => undefined);
  if (before === undefined || Date.now() - before.mtimeMs < staleAfter) return;
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  const after = await stat(aside).catch(() => undefined);
  if (after !== undefined && after.ino !== before.ino) await link(aside, path).catch(() => undefined);
  await unlink(aside).catch(() => undefined);
}
