// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type CorpusCase, loadCorpus } from "./corpus-case.ts";
import { runCase } from "./corpus-run.ts";
import { bundleMutant, type Mutant, mutants } from "./mutants.ts";
import { openSite, type Site } from "./site.ts";

// Each mistake is made on purpose, and the corpus must find it: what it does not find could be in the product as well.
const site = await openSite({ generation: 28, store: "containerd" });
afterAll(async () => await site.close());
/** Of the mistakes every third is made on every run, and all with LAYERWISE_CORPUS=all. */
const isMatrix = process.env["LAYERWISE_CORPUS"] === "all";
const made = mutants.filter((_, index) => isMatrix || index % 3 === 0);
const corpus = new Map((await loadCorpus()).map((one) => [one.name, one]));

describe.concurrent("the corpus finds a program that", () => {
  for (const [index, mutant] of made.entries()) {
    it(mutant.what, async () => {
      const mutated = await siteOf(mutant, `mutant-${index}`);

      for (const one of mutant.cases.map(caseOf)) {
        const findings = await runCase(mutated, { ...one, name: `mutant-${index}-${one.name}` }, { views: false });

        expect(findings, one.name).toContainEqual(expect.stringMatching(mutant.finds));
      }
    });
  }
});

describe.concurrent("without a mistake it finds nothing in", () => {
  const unchanged = siteOf(undefined, "unchanged");
  for (const name of new Set(made.flatMap(({ cases }) => cases))) {
    it(name, async () => {
      const findings = await runCase(await unchanged, { ...caseOf(name), name: `unchanged-${name}` }, { views: false });

      expect(findings).toEqual([]);
    });
  }
});

function caseOf(name: string): CorpusCase {
  const found = corpus.get(name);
  if (found === undefined) throw new Error(`the corpus has no case ${name}`);
  return found;
}

/** The same site, whose command line is another program. */
async function siteOf(mutant: Mutant | undefined, name: string): Promise<Site> {
  const program = await bundleMutant(join(site.scratch, name), mutant);
  const another: Pick<Site, "build" | "layerwise"> = {
    build: async (args, options) => await site.build(args, { ...options, program }),
    layerwise: async (args, options) => await site.layerwise(args, { ...options, program }),
  };
  return Object.assign(Object.create(site) as Site, another);
}
