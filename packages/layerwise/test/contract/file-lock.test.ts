// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { takeLock } from "../../src/system/file-lock.ts";
import { temporaryFolder } from "../open-repositories.ts";

it("is held by one at a time", async () => {
  const path = await lockPath();
  let holders = 0;
  const most: number[] = [];

  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const lock = await takeLock(path);
      holders += 1;
      most.push(holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
      await lock.release();
    }),
  );

  expect(most).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
});

it("is gone when it is released", async () => {
  const path = await lockPath();
  const lock = await takeLock(path);

  await lock.release();

  expect(await readdir(join(path, ".."))).toEqual([]);
});

it("knows that it was taken away, and leaves the other's alone", async () => {
  const path = await lockPath();
  const slow = await takeLock(path);
  const longAgo = Date.now() / 1000 - 60;
  await utimes(path, longAgo, longAgo);

  const fast = await takeLock(path);

  expect(await slow.isHeld()).toBe(false);
  await slow.release();
  expect(await fast.isHeld()).toBe(true);
  expect(await readdir(join(path, ".."))).toEqual(["lock"]);
});

it("is waited for while it is fresh", async () => {
  const path = await lockPath();
  await writeFile(path, "another process");

  const taking = takeLock(path, { signal: AbortSignal.timeout(50) });

  await expect(taking).rejects.toThrow();
  expect(await readFile(path, "utf8")).toBe("another process");
});

async function lockPath(): Promise<string> {
  return join(await temporaryFolder(), "lock");
}
