// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, it } from "vitest";
import { endKinds } from "../../../lab/test/engine-kinds.ts";
import { loadCorpus } from "./corpus-case.ts";
import { runCase } from "./corpus-run.ts";
import { seesCase, selectCorpus } from "./corpus-selection.ts";
import { openSite, type Site } from "./site.ts";

const { LAYERWISE_CORPUS, LAYERWISE_VIEWS } = process.env;
const selected = selectCorpus(LAYERWISE_CORPUS, { cases: await loadCorpus(), kinds: endKinds });

for (const { kind, cases } of selected) {
  const { generation, store } = kind;
  describe(`Docker ${generation} ${store}`, () => {
    let site: Site;
    beforeAll(async () => {
      site = await openSite(kind, { isViewed: true });
    });
    afterAll(async () => await site.close());

    for (const one of cases) {
      it.concurrent(one.name, async ({ expect }) => {
        const findings = await runCase(site, one, { views: seesCase(LAYERWISE_VIEWS, one, kind) });

        expect(findings, findings.join("\n")).toEqual([]);
      });
    }
  });
}
