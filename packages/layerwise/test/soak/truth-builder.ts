// SPDX-License-Identifier: Apache-2.0
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../../../lab/src/index.ts";
import type { Site } from "../e2e/site.ts";

/** A build that an engine is to make and push, from nothing that it has in its cache. */
export interface TruthRequest {
  readonly folder: string;
  /** `--build-arg`, `--label`, `--build-context` and `--target`, each followed by its value. */
  readonly options: readonly string[];
  readonly reference: string;
  /** Whether it will probably work; such builds are made several at once. */
  readonly isPromising: boolean;
}

/** Has an engine build, at the least cost: starting a client costs more than most builds. */
export interface TruthBuilder {
  /** Gives the engine's error; undefined if it built. */
  build(request: TruthRequest): Promise<string | undefined>;
}

/** The plugin by itself, which saves the client that would look for plugins first. */
const buildx = "/usr/libexec/docker/cli-plugins/docker-buildx";

/** Most builds of one client. */
const batchSize = 8;

/** Opens the way to a site's engine that costs least: with Docker 28 builds come in batches. */
export function openTruthBuilder(site: Site): TruthBuilder {
  const { engine } = site;
  if (engine === undefined) throw new Error("this site has no engine");
  const one = async ({ folder, options, reference }: TruthRequest) =>
    await errorOf(site.engineBuild([...options, folder], reference));
  if (engine.generation !== 28) return { build: one };
  const alone = async (request: TruthRequest) => await errorOf(buildAlone(engine, { request, cwd: site.work }));
  const batches = batched<TruthRequest, string | undefined>(async (requests) => {
    if (requests.length > 1 && (await errorOf(bake(engine, { requests, site }))) === undefined) {
      return requests.map(() => undefined);
    }
    // One that fails takes the others with it.
    return await Promise.all(requests.map(alone));
  });
  return { build: async (request) => await (request.isPromising ? batches(request) : alone(request)) };
}

async function errorOf(work: Promise<unknown>): Promise<string | undefined> {
  return await work.then(
    () => undefined,
    (error: unknown) => String(error),
  );
}

function outputTo(reference: string): string {
  return `type=image,name=${reference},push=true,store=false`;
}

async function buildAlone(engine: Engine, { request, cwd }: { request: TruthRequest; cwd: string }): Promise<unknown> {
  const { folder, options, reference } = request;
  const flags = ["--no-cache", "--provenance=false", "--output", outputTo(reference)];
  return await engine.exec([buildx, "build", ...flags, ...options, folder], { cwd });
}

let bakes = 0;

/** https://docs.docker.com/build/bake/reference/ */
async function bake(
  engine: Engine,
  { requests, site }: { requests: readonly TruthRequest[]; site: Site },
): Promise<void> {
  bakes += 1;
  const file = join(site.scratch, `bake-${bakes}.json`);
  const targets = requests.map((request, index) => [`t${index}`, targetOf(request)] as const);
  const group = { default: { targets: targets.map(([name]) => name) } };
  await writeFile(file, JSON.stringify({ group, target: Object.fromEntries(targets) }));
  const flags = ["--allow=fs=*", "--provenance=false", "--file", file];
  await engine.exec([buildx, "bake", ...flags], { cwd: site.work });
  await rm(file);
}

function targetOf({ folder, options, reference }: TruthRequest): object {
  const valuesOf = (flag: string) => options.filter((_, index) => options[index - 1] === flag);
  const pairs = (flag: string) =>
    Object.fromEntries(
      valuesOf(flag).map((text) => [text.slice(0, text.indexOf("=")), plain(text.slice(text.indexOf("=") + 1))]),
    );
  const [target] = valuesOf("--target");
  return {
    context: folder,
    "no-cache": true,
    args: pairs("--build-arg"),
    labels: pairs("--label"),
    contexts: pairs("--build-context"),
    ...(target === undefined ? {} : { target }),
    output: [outputTo(reference)],
  };
}

/** Strings of a bake file are templates. */
function plain(text: string): string {
  return text.replaceAll("${", "$${").replaceAll("%{", "%%{");
}

/** Does what has come in while it was at work, all at once. */
function batched<In, Out>(work: (all: readonly In[]) => Promise<readonly Out[]>): (one: In) => Promise<Out> {
  const waiting: { one: In; resolve: (out: Out) => void; reject: (error: unknown) => void }[] = [];
  let isWorking = false;
  async function drain(): Promise<void> {
    isWorking = true;
    while (waiting.length > 0) {
      const some = waiting.splice(0, batchSize);
      try {
        const done = await work(some.map(({ one }) => one));
        for (const [index, { resolve }] of some.entries()) resolve(done[index] as Out);
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
    isWorking = false;
  }
  return async (one) =>
    await new Promise<Out>((resolve, reject) => {
      waiting.push({ one, resolve, reject });
      if (!isWorking) void drain();
    });
}
