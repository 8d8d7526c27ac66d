// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import type { Repositories } from "../ports.ts";
import { gatherBases } from "./gather-bases.ts";

const repositories: Repositories = {
  inRegistry: (name) => {
    throw new Error(`${name.path} should not be opened`);
  },
  inLayout: (path) => {
    throw new Error(`${path} should not be opened`);
  },
};

it("fails once where several images have no lock", async () => {
  const platform = { os: "linux", architecture: "amd64" };
  const wanted = ["one.test/a:1", "one.test/b:1"].map((reference) => ({ reference, platform }));

  const gathering = gatherBases(wanted, { repositories, named: new Map(), locked: new Map(), emit: () => undefined });

  // A second failure that nobody hears of ends the process, and this test run.
  await expect(gathering).rejects.toThrow("one.test/a:1");
});
