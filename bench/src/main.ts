#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { currentLoad, describeMachine } from "./machine.ts";
import { measureAnalysis } from "./measure-analysis.ts";
import { deployFirst, measureDeploys } from "./measure-deploys.ts";
import { measureEngine } from "./measure-engine.ts";
import { measureHashing } from "./measure-hashing.ts";
import { measureMemory } from "./measure-memory.ts";
import { measureRoundTrip } from "./measure-round-trip.ts";
import { measureStart } from "./measure-start.ts";
import { measureTraffic } from "./measure-traffic.ts";
import { type BenchOptions, readBenchOptions } from "./options.ts";
import { renderResults } from "./render-results.ts";
import type { LinkFacts, LinkName, Memory, Results } from "./results.ts";
import { type BenchSite, openBenchSite, shaped } from "./site.ts";

const home = new URL("..", import.meta.url).pathname;
const argv = process.argv.slice(2);
const options = readBenchOptions(argv, home);
const started = performance.now();

const titles: Readonly<Record<LinkName, string>> = {
  direct: "Direct link",
  shaped: `Shaped link: ${shaped.mbit / 1000} Gbit/s, ${shaped.roundTrip} ms there and back`,
};

function say(line: string): void {
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${line}\n`);
}

const site = await openBenchSite({ wheels: options.isQuick ? "small" : "full", hasOld: !options.isQuick });
try {
  const results = await measure(site, options);
  await mkdir(options.folder, { recursive: true });
  await writeFile(join(options.folder, "results.json"), `${JSON.stringify(results, undefined, 1)}\n`);
  await writeFile(join(options.folder, "RESULTS.md"), renderResults(results));
  say(`wrote ${options.folder}`);
} finally {
  await site.close();
}

/** The links come in this order, since a limit that is once there stays. */
async function measure(site: BenchSite, options: BenchOptions): Promise<Results> {
  const load = [currentLoad()];
  const machine = await describeMachine({ new: site.current, old: site.old });
  const start = await measureStart(site, options.startRounds);
  say("start measured");
  const hashing = await measureHashing(site, { files: options.hashedFiles, rounds: options.hashingRounds });
  say("hashing measured");
  const analysis = await measureAnalysis(site, {
    files: options.analyzedFiles,
    commits: options.analyzedCommits,
    rounds: options.hashingRounds,
  });
  say("analysis measured");
  const memory: Memory[] = [];
  for (const size of options.layerSizes) memory.push(await measureMemory(site, size));
  say("memory measured");
  await deployFirst(site, say);
  const direct = await measureLink(site, "direct");
  const engine = await measureEngine(site, { rounds: options.engineRounds, say });
  await site.current.limitRate(shaped.mbit);
  const far = await measureLink(site, "shaped");
  return {
    command: ["npm run bench", ...(argv.length > 0 ? ["--", ...argv] : [])].join(" "),
    date: new Date().toISOString(),
    machine: { ...machine, load: [...load, currentLoad()] },
    links: [direct.facts, far.facts],
    deploys: [...direct.deploys, ...far.deploys],
    traffic: [...direct.traffic, ...far.traffic],
    start,
    hashing,
    analysis,
    memory,
    engine,
  };
}

async function measureLink(site: BenchSite, link: LinkName) {
  const facts: LinkFacts = { link, title: titles[link], roundTrip: await measureRoundTrip(site.places[link]) };
  const deploys = await measureDeploys(site, { link, options, say });
  return { facts, deploys, traffic: await measureTraffic(site, link) };
}
