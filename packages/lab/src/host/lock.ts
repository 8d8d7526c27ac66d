// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "./lab-error.ts";
import { hostEnvironment, labHome } from "./lab-home.ts";

/**
 * Does something while no other process of this machine does something under the same name.
 *
 * The kernel frees the lock when its holder dies, in whatever way. Not re-entrant.
 */
export async function withLock<T>(name: string, action: () => Promise<T>): Promise<T> {
  const folder = join(await labHome(), "locks");
  await mkdir(folder, { recursive: true });
  const release = await acquire(join(folder, `${name}.lock`));
  try {
    return await action();
  } finally {
    await release();
  }
}

/** A process holds the lock until our end of its input closes, which the kernel does for us if we are killed. */
function acquire(file: string): Promise<() => Promise<void>> {
  const script = "echo held; read -r _ || :";
  const holder = spawn("flock", ["--exclusive", file, "sh", "-c", script], {
    env: hostEnvironment(),
    stdio: ["pipe", "pipe", "ignore"],
    detached: true, // An interrupt from the terminal is ours to handle, with the lock held.
  });
  const ended = new Promise<void>((resolve) => void holder.once("close", () => resolve()));
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new LabError(`could not lock ${file}: ${why}`));
    holder.once("error", (error) => fail(error.message));
    holder.once("exit", (code) => fail(`flock ended with exit code ${code}`));
    holder.stdout.once("data", () =>
      resolve(() => {
        holder.stdin.end();
        return ended;
      }),
    );
  });
}
