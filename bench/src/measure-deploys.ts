// SPDX-License-Identifier: Apache-2.0
import { type Contender, contenders, type Deploy, pushDependencies } from "./contender.ts";
import type { BenchOptions } from "./options.ts";
import type { Change, Comparison, LinkName, Pair } from "./results.ts";
import { buildWithLayerwise } from "./run-layerwise.ts";
import type { BenchSite, Place } from "./site.ts";
import { median } from "./statistics.ts";
import { timed } from "./timed.ts";

/** The repository that layerwise deploys to. */
export const ourRepository = "layerwise";

/** Says what goes on. */
export type Say = (line: string) => void;

/** Deploys once with everybody, so that each finds in the registry what it left there. */
export async function deployFirst(site: BenchSite, say: Say): Promise<void> {
  const place = site.places.direct;
  await place.app.touch(0);
  for (const contender of available(site, "direct")) {
    say(`first deploy of ${contender.name}`);
    const deploy = deployOf(contender, { site, place, commit: "c0" });
    await contender.prepare?.(deploy);
    await contender.deploy(deploy);
    if (contender.name === "classic") await pushDependencies(site);
  }
  say("first deploy of layerwise");
  await buildWithLayerwise(site, { place, repository: ourRepository, tags: ["latest", "c0"], route: "engine" });
}

/** The contenders on a link. Two slow ones that differ little from others need the whole site and the direct link. */
function available({ old }: BenchSite, link: LinkName): readonly Contender[] {
  if (link === "direct" && old !== undefined) return contenders;
  return contenders.filter(({ name }) => name !== "buildah" && name !== "classic-old");
}

/** Deploys in turn with each contender and layerwise, one right after the other: a changed source, then nothing. */
export async function measureDeploys(
  site: BenchSite,
  { link, options, say }: { readonly link: LinkName; readonly options: BenchOptions; readonly say: Say },
): Promise<readonly Comparison[]> {
  const place = site.places[link];
  const field = available(site, link).map((contender) => ({
    contender,
    source: startSeries(),
    nothing: startSeries(),
  }));
  for (let round = 1; round <= Math.max(options.slowRounds, options.fastRounds); round++) {
    for (const { contender, source, nothing } of field) {
      if (round > (contender.isSlow ? options.slowRounds : options.fastRounds)) continue;
      const commit = nextCommit();
      await place.app.touch(commit);
      const around = { site, place, commit: `c${commit}`, oursFirst: round % 2 === 0 };
      source.add(await deployPair(contender, { ...around, change: "source" }));
      nothing.add(await deployPair(contender, { ...around, change: "nothing" }));
      say(`${link} ${contender.name} ${round}: ${source.last()}, nothing changed ${nothing.last()}`);
    }
  }
  return field.flatMap(({ contender: { name, title }, source, nothing }) => [
    { contender: name, title, link, change: "source", ...source.result() },
    { contender: name, title, link, change: "nothing", ...nothing.result() },
  ]);
}

let commits = 0;
/** A number that no deploy of this run had. */
export function nextCommit(): number {
  commits += 1;
  return commits;
}

interface Deployed extends Pair {
  readonly executed: boolean;
  readonly received: number;
  readonly sent: number;
}

interface Pairing {
  readonly site: BenchSite;
  readonly place: Place;
  readonly commit: string;
  readonly oursFirst: boolean;
  readonly change: Change;
}

async function deployPair(contender: Contender, pairing: Pairing): Promise<Deployed> {
  if (!pairing.oursFirst) {
    const other = await deployOther(contender, pairing);
    return { ...other, ours: await deployOurs(pairing) };
  }
  const ours = await deployOurs(pairing);
  return { ...(await deployOther(contender, pairing)), ours };
}

async function deployOurs({ site, place, commit, change }: Pairing): Promise<number> {
  const route = change === "source" ? "assemble" : "reuse";
  const built = await buildWithLayerwise(site, { place, repository: ourRepository, tags: ["latest", commit], route });
  return built.seconds;
}

async function deployOther(contender: Contender, { site, place, commit }: Pairing): Promise<Omit<Deployed, "ours">> {
  const deploy = deployOf(contender, { site, place, commit });
  await deploy.engine.wipe();
  await contender.prepare?.(deploy);
  const installs = site.index.installs();
  const before = await deploy.engine.bytes();
  const { seconds } = await timed(() => contender.deploy(deploy));
  const after = await deploy.engine.bytes();
  return {
    other: seconds,
    executed: site.index.installs() > installs,
    received: after.received - before.received,
    sent: after.sent - before.sent,
  };
}

function deployOf(contender: Contender, { site, place, commit }: Pick<Pairing, "site" | "place" | "commit">): Deploy {
  const engine = contender.engine === "current" ? site.current : site.old;
  if (engine === undefined) throw new Error(`could not deploy with ${contender.name}: its engine is not there`);
  return { site, place, engine, repository: `${place.registry}/${contender.name}`, commit };
}

interface Series {
  add(deployed: Deployed): void;
  last(): string;
  result(): Pick<Comparison, "pairs" | "executed" | "received" | "sent">;
}

function startSeries(): Series {
  const all: Deployed[] = [];
  return {
    add: (deployed) => void all.push(deployed),
    last: () => `${all.at(-1)?.other.toFixed(2)} s against ${all.at(-1)?.ours.toFixed(3)} s`,
    result: () => ({
      pairs: all.map(({ ours, other }) => ({ ours, other })),
      executed: all.filter(({ executed }) => executed).length,
      received: median(all.map(({ received }) => received)),
      sent: median(all.map(({ sent }) => sent)),
    }),
  };
}
