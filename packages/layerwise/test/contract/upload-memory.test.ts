// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from "vitest";
import { startRegistryServer } from "../registry-server.ts";
import { bundleProgram, type Program } from "../run-program.ts";

/** KiB that a large upload may add to the peak of the memory. */
const allowance = 100 * 1024;

let program: Program;
beforeAll(async () => {
  program = await bundleProgram("upload");
});
afterAll(() => program.remove());

it("streams a blob of 512 MiB without holding it in memory", { timeout: 60_000 }, async () => {
  const server = await startRegistryServer({ discardsBlobs: true });

  const output = await program.run(server.host, "512");

  const { before, after } = JSON.parse(output) as { before: number; after: number };
  expect(server.requests.at(-1)).toMatchObject({ method: "PUT", status: 201, received: 512 * 1024 * 1024 });
  expect(after - before).toBeLessThan(allowance);
  await server.close();
});
