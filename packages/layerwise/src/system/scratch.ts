// SPDX-License-Identifier: Apache-2.0
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diskError } from "./disk-error.ts";
import { hasEnded, processIdentity } from "./process-identity.ts";

/** A folder for what is of use to this process only. */
export interface Scratch {
  /** A path in it that nothing has yet. */
  path(): string;
  /** A new folder in it. */
  folder(): string;
  /** Removes everything, and what killed processes left behind; synchronous, so that it works on the way out. */
  close(): void;
}

const prefix = "layerwise-";

/**
 * Opens a scratch folder in the system's temporary directory. It is made when it is first used, under a name that says
 * whose it is: a process that is killed cannot remove its own, so the next one does.
 *
 * @param directory where; by default what TMPDIR says
 */
export function openScratch(directory?: string): Scratch {
  // An empty TMPDIR says nothing, as for every other program.
  const parent = directory === undefined || directory === "" ? tmpdir() : directory;
  let own: string | undefined;
  let count = 0;
  const path = () => {
    own ??= makeFolder(parent);
    count += 1;
    return join(own, String(count));
  };
  return {
    path,
    folder() {
      const folder = path();
      mkdirSync(folder);
      return folder;
    },
    close() {
      if (own !== undefined) rmSync(own, { recursive: true, force: true });
      own = undefined;
      removeLeftovers(parent);
    },
  };
}

function makeFolder(parent: string): string {
  // The space that a killed process took may be needed now.
  removeLeftovers(parent);
  const identity = processIdentity(process.pid);
  try {
    return mkdtempSync(join(parent, identity === undefined ? prefix : `${prefix}${identity}-`));
  } catch (error) {
    throw diskError(parent, error);
  }
}

/** Removes folders of processes that have ended. What cannot be removed is in nobody's way. */
function removeLeftovers(parent: string): void {
  for (const name of namesIn(parent)) {
    const identity = /^layerwise-([0-9a-f]+-\d+-\d+)-[^-]+$/.exec(name)?.[1];
    if (identity === undefined || !hasEnded(identity)) continue;
    const path = join(parent, name);
    try {
      const { uid } = lstatSync(path);
      if (uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another process was faster.
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
