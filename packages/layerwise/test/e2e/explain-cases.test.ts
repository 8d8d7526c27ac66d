// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, it } from "vitest";
import { newestKind } from "../../../lab/test/engine-kinds.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { type ExplainCase, loadExplainCases } from "../explain-case.ts";
import { startSeries } from "./keys-lab.ts";
import { openSite, type Site } from "./site.ts";

const { LAYERWISE_CORPUS } = process.env;

/** One of how many cases is in the sample. */
const sampleRate = 16;

/** Which cases are in the sample depends on their own names only. */
function isInSample({ name }: ExplainCase): boolean {
  return LAYERWISE_CORPUS === "all" || Number.parseInt(digestOf(name).slice(7, 9), 16) < 256 / sampleRate;
}

/** Cases that an engine can be given; those about checkpoints that it does not have say nothing about it. */
const cases = loadExplainCases().filter(({ engine, made }) => engine === "executed" || (engine && made === undefined));

for (const { generation, store } of newestKind) {
  describe(`what explain names first, with Docker ${generation} ${store},`, () => {
    let site: Site;
    beforeAll(async () => {
      site = await openSite({ generation, store });
    });
    afterAll(async () => await site.close());

    for (const one of cases.filter(({ since }) => since <= generation).filter(isInSample)) {
      const title = one.engine === "executed" ? "is what the engine rebuilds for, and is CACHED without" : "is CACHED";
      it.concurrent(`${title}: ${one.name}`, async ({ expect }) => {
        const series = startSeries(site);
        const [{ line }] = one.causes;

        await series.judge(one.from);
        const changed = await series.judge(one.to, { noCache: one.noCache });
        const undone = await series.judge(one.undone);

        const [before = "", after = ""] = series.plans;
        const run = await site.layerwise(["explain", "--json", before, after]);
        const { steps } = JSON.parse(run.stdout.toString("utf8")) as Explained;
        const found = steps.map((step) => ({ line: step.line, kind: step.causes[0]?.kind }));
        // Plans do not tell what is made although its inputs are the same.
        const told = one.made === undefined ? one.causes.map((cause) => ({ line: cause.line, kind: cause.kind })) : [];
        expect(found).toEqual(told);
        expect(changed.find((step) => step.line === line)?.engine).toBe(one.engine);
        // With one cause the build is what it was; of several, the step that the first one is about is.
        const isWhole = one.undone === one.from;
        const back = isWhole ? undone : undone.filter((step) => step.line === line);
        expect(back.length).toBeGreaterThan(0);
        expect(back.filter(({ engine }) => engine === "executed")).toEqual([]);
      });
    }
  });
}

interface Explained {
  readonly steps: readonly { readonly line: number; readonly causes: readonly { readonly kind: string }[] }[];
}
