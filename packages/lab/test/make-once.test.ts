// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { withLock } from "../src/host/lock.ts";
import { makeOnce } from "../src/host/make-once.ts";
import { startProgram } from "./program.ts";

vi.setConfig({ testTimeout: 60_000 });

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "layerwise-lab-once-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("is made by one of several processes that want it at once", async () => {
  const [path, journal] = [join(folder, "thing"), join(folder, "journal")];

  const programs = await Promise.all([1, 2, 3].map(() => startProgram("make-once", { args: [path, journal] })));
  const ends = await Promise.all(programs.map(({ ended }) => ended));

  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(await readFile(journal, "utf8")).toBe("began\n");
  expect(await readFile(path, "utf8")).toBe("whole");
});

it("is made again after its maker was killed, and nothing half is left", async () => {
  const [path, journal] = [join(folder, "thing"), join(folder, "journal")];
  const killed = await startProgram("make-once", { args: [path, journal] });
  await killed.line();
  killed.process.kill("SIGKILL");
  await killed.ended;

  await makeOnce(path, (partial) => writeFile(partial, "second"));

  expect(await readFile(path, "utf8")).toBe("second");
  expect((await readdir(folder)).sort()).toEqual(["journal", "thing"]);
});

it("is not there if making it fails", async () => {
  const path = join(folder, "thing");

  const making = makeOnce(path, async (partial) => {
    await writeFile(partial, "half");
    throw new Error("no more");
  });

  await expect(making).rejects.toThrow("no more");
  expect(await readdir(folder)).toEqual([]);
});

it("keeps others of this process waiting while a lock is held", async () => {
  const order: string[] = [];
  const hold = (name: string) =>
    withLock("test-order", async () => {
      order.push(`${name} in`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} out`);
    });

  await Promise.all([hold("a"), hold("b")]);

  expect(order.map((line) => line.slice(2))).toEqual(["in", "out", "in", "out"]);
});
