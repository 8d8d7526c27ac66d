// SPDX-License-Identifier: Apache-2.0
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type Engine,
  type Generation,
  makeWorkload,
  pythonBase,
  type Registry,
  startEngine,
  startRegistry,
  startWheelIndex,
  unpackEngineRoot,
  type WheelSet,
  type Workload,
} from "layerwise-lab";
import { changesOf } from "./changes.ts";
import { classicRecipe, deployClassically } from "./classic-recipe.ts";
import { deploySeries, type Ways } from "./deploy-series.ts";
import { buildWithLayerwise } from "./layerwise.ts";
import type { Narrator } from "./narrator.ts";
import type { Series } from "./record.ts";
import { makeWorkFolder } from "./work-folder.ts";

/** How much to show, and to whom. */
export interface Showing {
  readonly quick: boolean;
  readonly narrator: Narrator;
}

/** The image store that Docker has had from the beginning, and that most machines of CI still use. */
const store = "classic";

/** Shows the whole story on the oldest and the newest engine, with a registry one hop away. */
export async function showOnPrivateEngines({ quick, narrator }: Showing): Promise<readonly Series[]> {
  const generations: readonly Generation[] = quick ? [28] : [20, 28];
  const wheels: WheelSet = quick ? "small" : "medium";
  const folder = await makeWorkFolder();
  narrator.say("Setting up; what is made of Debian's packages is kept for the next time.");
  for (const generation of generations) {
    await narrator.during(`  Docker ${generation} from Debian packages`, () => unpackEngineRoot(generation));
  }
  const registry = await narrator.during("  a registry", () => startRegistry());
  const base = await narrator.during("  a base image with Python, of Debian packages", () => pythonBase(registry));
  const index = await narrator.during("  a package index for pip", () =>
    startWheelIndex({ address: registry.address, wheels }),
  );
  try {
    const series: Series[] = [];
    for (const generation of generations) {
      const app = join(folder, `app-${generation}`);
      const application = await makeWorkload({ folder: app, base, index, wheels });
      series.push(await showOn(generation, { quick, narrator, folder, registry, application }));
    }
    return series;
  } finally {
    await index.stop();
    await registry.stop();
  }
}

interface Surroundings extends Showing {
  /** One that engines see. */
  readonly folder: string;
  readonly registry: Registry;
  readonly application: Workload;
}

async function showOn(generation: Generation, around: Surroundings): Promise<Series> {
  const { quick, narrator, folder, registry, application } = around;
  const insecureRegistries = [registry.name];
  const engine = await startEngine({ generation, store, work: folder, insecureRegistries });
  try {
    const version = (await engine.exec(["docker", "version", "--format", "{{.Server.Version}}"])).stdout.trim();
    narrator.say(`\nDocker ${version}, ${store} image store; the engine forgets everything before each deploy.`);
    narrator.say(`The classic recipe:\n${classicRecipe.replaceAll(/^/gm, "    ")}`);
    const ways = await waysOn(engine, around);
    const shown = await deploySeries({ application, changes: changesOf({ quick }), ways, narrator });
    return { engine: { version, store }, rival: "classic recipe", ...shown };
  } finally {
    await engine.stop();
  }
}

async function waysOn(engine: Engine, { folder, registry, application }: Surroundings): Promise<Ways> {
  const fresh = forgetful(engine);
  const repository = (way: string) => `${registry.name}/docker-${engine.generation}-${way}`;
  const scratch = join(folder, `scratch-${engine.generation}`);
  await mkdir(scratch);
  const env = { PATH: `${engine.shim}:${process.env["PATH"]}`, TMPDIR: scratch, DOCKER_CONFIG: scratch };
  const context = application.folder;
  return {
    rival: {
      name: "classic recipe",
      deploy: (number) =>
        fresh(true, () => deployClassically(engine, { context, repository: repository("classic"), number })),
    },
    layerwise: (number) => {
      const tags = ["latest", `c${number}`].flatMap((tag) => ["--tag", `${repository("layerwise")}:${tag}`]);
      const args = ["--push", "--insecure-registry", registry.name, ...tags];
      const engineReceived = async () => (await engine.bytes()).received;
      return fresh(
        ({ outcome }) => outcome.route === "engine",
        () => buildWithLayerwise({ args, context, scratch, env, engineReceived }),
      );
    },
  };
}

/** Has work find an engine that was never used; one that the work before did not use needs no wiping. */
function forgetful(engine: Engine) {
  let isUsed = false;
  return async <T>(uses: true | ((result: T) => boolean), work: () => Promise<T>): Promise<T> => {
    if (isUsed) await engine.wipe();
    isUsed = true;
    const result = await work();
    isUsed = uses === true || uses(result);
    return result;
  };
}
