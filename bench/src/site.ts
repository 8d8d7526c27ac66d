// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type Engine,
  makeWorkload,
  pythonBase,
  type Registry,
  type RegistryPlace,
  type Relay,
  startEngine,
  startRegistry,
  startRelay,
  startWheelIndex,
  type WheelIndex,
  type WheelSet,
  type Workload,
} from "layerwise-lab";
import type { LinkName } from "./results.ts";

/** Milliseconds and Mbit/s of the shaped link. */
export const shaped: { readonly roundTrip: number; readonly mbit: number } = { roundTrip: 5, mbit: 1000 };

/** What is built, seen through one link. */
export interface Place {
  readonly link: LinkName;
  /** `host:port` of the registry on this link. */
  readonly registry: string;
  readonly app: Workload;
}

/** Everything that is measured on. */
export interface BenchSite {
  readonly registry: Registry;
  readonly places: Readonly<Record<LinkName, Place>>;
  /** Today's Docker with the containerd image store, and the oldest one if it is wanted. */
  readonly current: Engine;
  readonly old: Engine | undefined;
  readonly index: WheelIndex;
  /** A folder that both engines see. */
  readonly work: string;
  close(): Promise<void>;
}

/** The built command line. */
export const bundle: string = join(
  dirname(createRequire(import.meta.url).resolve("layerwise/package.json")),
  "dist/bundle/layerwise.js",
);

/** The Dockerfile that ends before the source, for contenders that must be told what is there. */
export const dependenciesOnly = "Dockerfile.dependencies";

/** Starts registry, engines and the rest; all of it ends with this process. */
export async function openBenchSite(options: {
  readonly wheels: WheelSet;
  readonly hasOld: boolean;
}): Promise<BenchSite> {
  const work = await mkdtemp(join(tmpdir(), "layerwise-bench-"));
  const registry = await startRegistry();
  const relay = await startRelay({ registry, roundTrip: shaped.roundTrip });
  const index = await startWheelIndex({ address: registry.address, wheels: options.wheels });
  const insecureRegistries = [registry.name, relay.name];
  const current = await startEngine({ generation: 28, store: "containerd", work, insecureRegistries });
  const old = options.hasOld ? await startEngine({ generation: 20, work, insecureRegistries }) : undefined;
  await pythonBase(registry);
  const place = async (link: LinkName, { name }: RegistryPlace): Promise<Place> => ({
    link,
    registry: name,
    app: await writeApp(join(work, link), { base: `${name}/python:1`, index, wheels: options.wheels }),
  });
  return {
    registry,
    places: { direct: await place("direct", registry), shaped: await place("shaped", relay) },
    current,
    old,
    index,
    work,
    close: () => close({ registry, relay, index, engines: [current, ...(old === undefined ? [] : [old])], work }),
  };
}

type AppOptions = Omit<Parameters<typeof makeWorkload>[0], "folder">;

async function writeApp(folder: string, options: AppOptions): Promise<Workload> {
  const app = await makeWorkload({ folder, ...options });
  const whole = await readFile(join(folder, app.dockerfiles.plain), "utf8");
  await writeFile(join(folder, dependenciesOnly), whole.replace(/^ADD .*\n/m, ""));
  return app;
}

interface Closing {
  readonly registry: Registry;
  readonly relay: Relay;
  readonly index: WheelIndex;
  readonly engines: readonly Engine[];
  readonly work: string;
}

async function close({ registry, relay, index, engines, work }: Closing): Promise<void> {
  for (const engine of engines) await engine.stop();
  await index.stop();
  await relay.stop();
  await registry.stop();
  await rm(work, { recursive: true, force: true });
}
