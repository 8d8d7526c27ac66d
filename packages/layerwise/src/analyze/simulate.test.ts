// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { draft } from "../../test/draft.ts";
import type { Digest } from "../spec/digest.ts";
import { type SimulationOptions, simulateBuild } from "./simulate.ts";

const dockerfile = "FROM base AS web\nCOPY w /w\nRUN build\nFROM base\nCOPY a /a\nCOPY --from=web /dist /dist";

it.each([
  ["a source changed that stands before the copy", { a: "2", w: "1" }, "assemble", ["COPY a /a"]],
  [
    "the stage changed that is copied from",
    { a: "2", w: "2" },
    "engine",
    ["COPY w /w", "RUN build", "COPY a /a", "COPY --from=web /dist /dist"],
  ],
])("predicts what is made when %s", async (_, files, route, made) => {
  const before = await simulated({ a: "1", w: "1" }, new Set());

  const after = await simulated(files, new Set(before.saved));

  expect(before.route).toBe("engine");
  expect(after.route).toBe(route);
  expect([...after.made].map(({ text }) => text).sort()).toEqual([...made].sort());
});

it("predicts an engine where the stage that is copied from has no checkpoint", async () => {
  const before = await simulated({ a: "1", w: "1" }, new Set(), "final");

  const after = await simulated({ a: "2", w: "1" }, new Set(before.saved), "final");

  expect(after.route).toBe("engine");
});

async function simulated(
  files: Readonly<Record<string, string>>,
  there: ReadonlySet<Digest>,
  checkpoints: SimulationOptions["checkpoints"] = "all",
) {
  const { chain: target, evaluated } = draft({ dockerfile, files });
  const isThere = (key: Digest) => there.has(key);
  return await simulateBuild({ ...evaluated, target, images: [] }, { isThere, buildArgs: new Map(), checkpoints });
}
