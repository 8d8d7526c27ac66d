// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type DockerfileVariant,
  makeWorkload,
  pythonBase,
  startWheelIndex,
  type WheelIndex,
  type Workload,
} from "../../../lab/src/index.ts";
import { type EngineKind, endKinds, isMatrix } from "../../../lab/test/engine-kinds.ts";
import { type Built, openSite, type Site } from "./site.ts";

/** What changes from one deploy to the next; each finds an engine that was never used. */
const deploys = ["first", "source", "source", "source", "source", "source", "nothing", "source"] as const;

/** How the image comes to be after the first deploy: multi2 compiles the source in a stage. */
const routes: Readonly<Record<Exclude<DockerfileVariant, "link">, string>> = {
  plain: "assemble",
  multi: "assemble",
  multi2: "engine",
};

/** With all engines every variant runs on each; else the oldest has one and the newest another: these take minutes. */
function runsOn(variant: string, { generation }: EngineKind): boolean {
  return isMatrix || variant === (generation === 20 ? "multi" : "plain");
}

const program = "import app, requests; print(app.app(None, None), requests.__name__)";

for (const kind of endKinds) {
  const { generation, store } = kind;
  describe(`eight deploys on Docker ${generation} with the ${store} store`, () => {
    let site: Site;
    let index: WheelIndex;
    let app: Workload;

    beforeAll(async () => {
      site = await openSite({ generation, store });
      index = await startWheelIndex({ address: site.registry.address, wheels: "small" });
      const base = await pythonBase(site.registry);
      app = await makeWorkload({ folder: join(site.work, "app"), base, index, wheels: "small" });
    });
    afterAll(async () => {
      await index.stop();
      await site.close();
    });

    for (const [variant, laterRoute] of Object.entries(routes)) {
      if (!runsOn(variant, kind)) continue;
      it(`execute the dependency step of ${variant} once, and publish what the engine would`, async () => {
        const repository = `${site.registry.name}/${variant}`;
        const file = join(app.folder, app.dockerfiles[variant as DockerfileVariant]);
        const before = index.installs();

        const built: Built[] = [];
        for (const [number, change] of deploys.entries()) {
          await site.engine?.wipe();
          if (change !== "nothing") await app.touch(number);
          const tags = ["--tag", `${repository}:latest`, "--tag", `${repository}:c${number}`];
          built.push(await site.build([...tags, "--file", file, app.folder]));
        }

        expect(index.installs() - before).toBe(1);
        expect(built.map(({ report }) => report.route)).toEqual(
          deploys.map((change) => (change === "first" ? "engine" : change === "nothing" ? "reuse" : laterRoute)),
        );
        const last = `${repository}:latest`;
        expect(await site.flaws(last)).toEqual([]);
        await site.engineBuild(["--file", file, app.folder], `${repository}-truth:1`);
        const differences = await site.differences(last, `${repository}-truth:1`);
        // pip notes the time of installation in what it compiles.
        expect(differences.filter((line) => !line.includes(".pyc"))).toEqual([]);
        await site.engine?.wipe();
        const run = await site.engine?.exec(["docker", "run", "--rm", last, "python3", "-B", "-c", program]);
        expect(run?.stdout).toBe(`${deploys.length - 1} requests\n`);
      });
    }
  });
}
