// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { access, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { withLock } from "./lock.ts";

/**
 * Makes a file or a folder that is not there yet, once for all processes of this machine.
 *
 * @param path where it will be, complete or not at all
 * @param make writes it at the path that it is given
 * @returns the path
 */
export async function makeOnce(path: string, make: (partial: string) => Promise<void>): Promise<string> {
  if (await isThere(path)) return path;
  return withLock(basename(path), async () => {
    if (await isThere(path)) return path;
    await mkdir(dirname(path), { recursive: true });
    await removePartials(path);
    const partial = `${path}.partial-${randomBytes(4).toString("hex")}`;
    try {
      await make(partial);
      await rename(partial, path);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
    return path;
  });
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Whoever holds the lock is the only maker, so that what others left is theirs no more. */
async function removePartials(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(`${basename(path)}.partial-`)) {
      await rm(join(dirname(path), name), { recursive: true, force: true, maxRetries: 5 });
    }
  }
}
