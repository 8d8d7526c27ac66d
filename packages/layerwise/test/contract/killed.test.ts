// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { processIdentity } from "../../src/system/process-identity.ts";
import { openScratch } from "../../src/system/scratch.ts";
import { temporaryFolder } from "../open-repositories.ts";
import { bundleProgram, type Program } from "../run-program.ts";

let program: Program;
beforeAll(async () => {
  program = await bundleProgram("killed");
});
afterAll(async () => await program.remove());

/** Runs the program that is killed, in a folder of its own. */
async function runKilled() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const connected = once(server, "connection") as Promise<[Socket]>;
  const folder = await temporaryFolder();
  const ended = program.run(folder, String((server.address() as AddressInfo).port));
  await expect(ended).rejects.toMatchObject({ signal: "SIGKILL" });
  return { folder, connection: (await connected)[0].resume() };
}

it("ends a guarded program with everything that it started when this process is killed", async () => {
  const { connection } = await runKilled();

  // Both hold the connection open.
  if (!connection.closed) await once(connection, "close");
});

it("removes the scratch files of a killed process when it makes its own", async () => {
  const { folder } = await runKilled();
  const before = await readdir(folder);
  const scratch = openScratch(folder);

  scratch.path();

  const after = await readdir(folder);
  expect(before).toHaveLength(1);
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
});

it("removes the scratch files of a killed process when it needs none itself", async () => {
  const { folder } = await runKilled();

  openScratch(folder).close();

  expect(await readdir(folder)).toEqual([]);
});

it("leaves alone what another process may still use", async () => {
  const folder = await temporaryFolder();
  const [place = "", , start = ""] = (processIdentity(process.pid) as string).split("-");
  const used = openScratch(folder);
  used.path();
  const names = [`layerwise-${"0".repeat(16)}-${process.pid}-1-abc`, "layerwise-site-abc", "layerwise-abc", "other"];
  for (const name of names) await mkdir(join(folder, name));
  // The process id of this one, given to another one before.
  await mkdir(join(folder, `layerwise-${place}-${process.pid}-${Number(start) - 1}-abc`));
  const before = await readdir(folder);

  openScratch(folder).close();

  const gone = before.filter((name) => name.includes(`-${Number(start) - 1}-`));
  expect(gone).toHaveLength(1);
  expect((await readdir(folder)).sort()).toEqual(before.filter((name) => !gone.includes(name)).sort());
});
