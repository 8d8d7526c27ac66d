// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { delegateCgroup, removeCgroup } from "../src/cell/cgroup.ts";

const name = `layerwise-lab-test-${process.pid}`;
let hierarchy: string;
let group: string;

beforeEach(async () => {
  const mounts = await readFile("/proc/self/mounts", "utf8");
  hierarchy = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1] ?? "";
  group = join(hierarchy, name);
  await mkdir(group);
});
afterEach(() => removeCgroup(name));

it("moves the processes of a nested group into a child, where they do not keep controllers from others", async () => {
  const sleeper = spawn("sleep", ["60"], { stdio: "ignore" });
  await writeFile(join(group, "cgroup.procs"), String(sleeper.pid));

  await delegateCgroup(group);

  const [above, below] = await Promise.all(
    ["cgroup.procs", "layerwise-lab-outside/cgroup.procs"].map((file) => readFile(join(group, file), "utf8")),
  );
  const [available, enabled] = await Promise.all(
    ["cgroup.controllers", "cgroup.subtree_control"].map((file) => readFile(join(group, file), "utf8")),
  );
  sleeper.kill("SIGKILL");
  await new Promise((resolve) => sleeper.once("close", resolve));
  expect(above).toBe("");
  expect(below?.trim()).toBe(String(sleeper.pid));
  expect(enabled).toBe(available);
});

it("does nothing without cgroup v2, nor at its true top, which alone has no type", async () => {
  const [none, top] = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), "layerwise-lab-cgroup-"))));
  await writeFile(join(top ?? "", "cgroup.controllers"), "cpu memory\n");

  await delegateCgroup(none);
  await delegateCgroup(top);

  expect(await readdir(none ?? "")).toEqual([]);
  expect(await readdir(top ?? "")).toEqual(["cgroup.controllers"]);
  for (const folder of [none, top]) await rm(folder ?? "", { recursive: true });
});

it("removes a group with those below it", async () => {
  await mkdir(join(group, "a/b"), { recursive: true });

  removeCgroup(name);

  await expect(rmdir(group)).rejects.toThrow("ENOENT");
});
