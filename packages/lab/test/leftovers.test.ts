// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { labHome } from "../src/host/lab-home.ts";
import { identityOf } from "../src/host/process-identity.ts";
import { run, startRegistry } from "../src/index.ts";
import { httpRequest } from "../src/registry/http.ts";
import { type Belongings, belongingsOf, leftoversOf } from "./leftovers.ts";
import { type Program, startProgram } from "./program.ts";

vi.setConfig({ testTimeout: 300_000 });

let owner: Program | undefined;

afterEach(async () => {
  owner?.process.kill("SIGKILL");
  await owner?.ended;
});

/** Starts a process that has an engine with a running container, and a registry. */
async function startOwner(how: string): Promise<{ owner: Program; belongings: Belongings; registry: string }> {
  owner = await startProgram("own-an-engine", { args: [how] });
  const shim = await owner.line();
  // A process that ends by itself clears away at once.
  const belongings = how === "wait" ? await belongingsOf(shim) : { folder: shim.replace(/\/bin$/, ""), device: -1 };
  return { owner, belongings, registry: await owner.line() };
}

it("lets the kernel end all processes, mounts and devices of a killed owner, and clears up with the next start", async () => {
  const { owner, belongings, registry } = await startOwner("wait");

  owner.process.kill("SIGKILL");
  await owner.ended;

  expect(await leftoversOf(belongings, { folder: false })).toEqual([]);
  // Without the registry its address is any address of the world.
  const answer = await httpRequest(`http://${registry}/v2/`).catch(() => undefined);
  expect(answer?.headers["docker-distribution-api-version"]).toBeUndefined();
  const next = await startRegistry({ host: "127.0.0.1" });
  expect(await leftoversOf(belongings, { folder: true })).toEqual([]);
  await next.stop();
});

it.each(["SIGINT", "SIGTERM"] as const)(
  "leaves nothing when its owner gets %s, and lets it end by it",
  async (signal) => {
    const { owner, belongings } = await startOwner("wait");

    owner.process.kill(signal);

    expect(await owner.ended).toEqual({ code: null, signal });
    expect(await leftoversOf(belongings, { folder: true })).toEqual([]);
  },
);

it.each([
  ["exit", 7],
  ["run-out", 8],
])("leaves nothing when its owner ends without stopping it: %s", async (how, code) => {
  const { owner, belongings } = await startOwner(how);

  expect(await owner.ended).toEqual({ code, signal: null });
  expect(await leftoversOf(belongings, { folder: true })).toEqual([]);
});

it("leaves alone what a living process has", async () => {
  const { belongings } = await startOwner("wait");

  const next = await startRegistry({ host: "127.0.0.1" });

  await next.stop();
  const { stdout } = await run([join(belongings.folder, "bin/docker"), "ps", "--quiet"]);
  expect(stdout).toMatch(/^[0-9a-f]+\n$/);
});

it("ends what a dead process should have taken with it, and no other process of the same number", async () => {
  const sleepers = [1, 2].map(() => spawn("sleep", ["100"], { stdio: "ignore" }));
  const ends = sleepers.map(
    (sleeper) => new Promise((resolve) => sleeper.once("exit", (_, signal) => resolve(signal))),
  );
  const identities = await Promise.all(sleepers.map(({ pid }) => identityOf(pid ?? 0)));
  const folders = await Promise.all(
    identities.map(async (holder, index) => {
      const folder = join(await labHome(), "run", `layerwise-lab-test-${process.pid}-${index}`);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "owner.json"), JSON.stringify({ ...holder, started: "0" }));
      await writeFile(join(folder, "holder.json"), JSON.stringify(index === 0 ? holder : { ...holder, started: "0" }));
      return folder;
    }),
  );

  const next = await startRegistry({ host: "127.0.0.1" });

  await next.stop();
  expect(await ends[0]).toBe("SIGKILL");
  expect(sleepers[1]?.exitCode).toBe(null);
  for (const folder of folders) await expect(access(folder)).rejects.toThrow("ENOENT");
  sleepers[1]?.kill("SIGTERM");
  expect(await ends[1]).toBe("SIGTERM");
});
