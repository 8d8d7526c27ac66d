// SPDX-License-Identifier: Apache-2.0
import { nextCommit, type Say } from "./measure-deploys.ts";
import { startRecorder } from "./recorded-build.ts";
import type { EngineComparison, EnginePair } from "./results.ts";
import { buildWithLayerwise, type TimedBuild } from "./run-layerwise.ts";
import type { BenchSite } from "./site.ts";
import { timed } from "./timed.ts";

/** The repository of what is built with a stage that executes something for each source. */
const repository = "compiled";

/** Measures what layerwise adds to an engine: to the same residual by hand, and to a plain build of everything. */
export async function measureEngine(
  site: BenchSite,
  { rounds, say }: { readonly rounds: number; readonly say: Say },
): Promise<readonly EngineComparison[]> {
  return [
    {
      name: "residual",
      title: "source changed, a stage compiles it: the same residual, given to the engine by hand",
      pairs: await measureResidual(site, { rounds, say }),
    },
    {
      name: "cold",
      title: "first build of all: docker build, docker push",
      pairs: await measureCold(site, { rounds, say }),
    },
  ];
}

interface Rounds {
  readonly rounds: number;
  readonly say: Say;
}

async function measureResidual(site: BenchSite, { rounds, say }: Rounds): Promise<readonly EnginePair[]> {
  const { current, places } = site;
  const recorder = await startRecorder(site);
  const build = async (path?: string) => {
    const [place, tags, file] = [places.direct, ["latest"], places.direct.app.dockerfiles.multi2];
    return await buildWithLayerwise(site, { place, repository, tags, file, route: "engine", path });
  };
  await build();
  await places.direct.app.touch(nextCommit());
  await build(recorder.folder);
  const { argv } = await recorder.recorded();
  const byHand = async () => (await timed(() => current.exec(argv, { cwd: places.direct.app.folder }))).seconds;
  return await pairsOf(site, { rounds, say, name: "residual", ours: () => build(), byHand });
}

async function measureCold(site: BenchSite, { rounds, say }: Rounds): Promise<readonly EnginePair[]> {
  const { current, places } = site;
  const place = places.direct;
  let number = 0;
  const fresh = () => `cold-${++number}`;
  const ours = () => buildWithLayerwise(site, { place, repository: fresh(), tags: ["latest"], route: "engine" });
  const byHand = async () => {
    const name = `${place.registry}/${fresh()}:latest`;
    const docker = { cwd: place.app.folder };
    const all = async () => {
      await current.exec(["docker", "build", "--tag", name, "."], docker);
      await current.exec(["docker", "push", name], docker);
    };
    return (await timed(all)).seconds;
  };
  return await pairsOf(site, { rounds, say, name: "cold", ours, byHand });
}

interface EnginePairing extends Rounds {
  readonly name: string;
  readonly ours: () => Promise<TimedBuild>;
  readonly byHand: () => Promise<number>;
}

/** Each on an engine that was never used, in turn the first, each with a source of its own. */
async function pairsOf(
  site: BenchSite,
  { rounds, say, name, ours, byHand }: EnginePairing,
): Promise<readonly EnginePair[]> {
  const begin = async () => {
    await site.current.wipe();
    await site.places.direct.app.touch(nextCommit());
  };
  const mine = async () => {
    await begin();
    return await ours();
  };
  const other = async () => {
    await begin();
    return await byHand();
  };
  const pairs: EnginePair[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = round % 2 === 0 ? undefined : await other();
    const { seconds, report } = await mine();
    const pair = { ours: seconds, other: before ?? (await other()), published: seconds - report.seconds.save };
    pairs.push(pair);
    say(`${name} ${round + 1}: ${pair.other.toFixed(2)} s against ${pair.ours.toFixed(2)} s`);
  }
  return pairs;
}
