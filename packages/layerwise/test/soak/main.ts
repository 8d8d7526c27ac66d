// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";
import type { Generation } from "../../../lab/src/index.ts";
import { type SoakFailure, seedsFrom, startSoak } from "./soak.ts";
import { renderTally, sumOf } from "./tally.ts";
import { writeCase } from "./write-case.ts";

const usage = `npm run soak -- [options]

  --minutes N      how long; 10 by default
  --series N       ends after so many series on each engine, if that comes first
  --seed N         all series follow from it; another one each time by default
  --replay N       only the series of this seed, as a difference names it
  --engine N       a generation of Docker, 20, 26 or 28; can be given again; 20 and 28 by default
  --jobs N         series side by side on each engine; 2 by default
  --cases DIRECTORY  where a series that failed is written; the corpus by default
`;

const minute = 60_000;

// Each build in this process listens for its end.
process.setMaxListeners(0);

const options = readOptions(process.argv.slice(2));
process.exitCode = await main(options);

type Options = ReturnType<typeof readOptions>;

async function main({ minutes, series, seed, replay, generations, jobs, cases }: Options): Promise<number> {
  const started = Date.now();
  say(replay === undefined ? `seed ${seed}` : `series ${replay}`);
  const failed = async (failure: SoakFailure) => {
    const place = await writeCase(failure, cases);
    const { findings } = failure.builds.at(-1) ?? { findings: [] };
    say(`a difference on Docker ${failure.generation}, series ${failure.seed}: ${place}\n  ${findings.join("\n  ")}`);
  };
  const soaks = generations.map((generation) => {
    const seeds = replay === undefined ? first(seedsFrom(seed), series) : [replay].values();
    const until = started + minutes * minute;
    return { generation, ...startSoak({ generation, jobs, seeds, until, shrinkFor: 3 * minute, failed }) };
  });
  const ticking = setInterval(() => say(renderTally(sumOf(soaks.map(({ tally }) => tally)))), minute);
  try {
    await Promise.all(soaks.map(({ ended }) => ended));
  } finally {
    clearInterval(ticking);
  }
  for (const { generation, tally } of soaks) say(`Docker ${generation}: ${renderTally(tally)}`);
  const all = sumOf(soaks.map(({ tally }) => tally));
  const perMinute = Math.round((all.builds * minute) / (Date.now() - started));
  say(`all: ${renderTally(all)}; ${perMinute} builds a minute`);
  return all.differences === 0 && all.builds > 0 ? 0 : 1;

  function say(text: string): void {
    process.stdout.write(`${((Date.now() - started) / minute).toFixed(1).padStart(6)} min  ${text}\n`);
  }
}

function* first<T>(from: Iterable<T>, count: number): Generator<T, void> {
  let index = 0;
  for (const one of from) {
    if (index >= count) return;
    index += 1;
    yield one;
  }
}

function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string", default: "10" },
      series: { type: "string" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      replay: { type: "string" },
      engine: { type: "string", multiple: true, default: ["20", "28"] },
      jobs: { type: "string", default: "2" },
      cases: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  const generations = values.engine.map((text) => {
    const found = ([20, 26, 28] as const).find((one) => String(one) === text);
    return found ?? refuse(`--engine ${text}`);
  });
  return {
    minutes: number("minutes", values.minutes),
    series: values.series === undefined ? Number.POSITIVE_INFINITY : number("series", values.series),
    seed: number("seed", values.seed),
    replay: values.replay === undefined ? undefined : number("replay", values.replay),
    generations: generations satisfies readonly Generation[],
    jobs: number("jobs", values.jobs),
    cases: values.cases ?? new URL("../corpus", import.meta.url).pathname,
  };
}

function number(flag: string, text: string): number {
  const value = Number(text);
  return text !== "" && Number.isFinite(value) ? value : refuse(`--${flag} ${text}`);
}

function refuse(what: string): never {
  process.stderr.write(`could not read ${what}\n\n${usage}`);
  process.exit(2);
}
