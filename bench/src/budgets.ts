// SPDX-License-Identifier: Apache-2.0
import type { Change, Comparison, LinkName, Results } from "./results.ts";
import { median } from "./statistics.ts";

/** One promise, and what came of it. */
export interface Verdict {
  readonly work: string;
  readonly budget: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const kibi = 1024;
const mebi = 1024 * kibi;

const most = {
  reuseRequests: 12,
  assembleRequests: 20,
  /** Bytes that come down, and those beside the new layer that go up. */
  down: 256 * kibi,
  up: 64 * kibi,
  /** Share of the classic recipe's time, and of the registry cache's. */
  share: 1 / 20,
  crane: 1.5,
  startSeconds: 0.15,
  analysisSeconds: 30,
  peakBytes: 200 * mebi,
  engine: 1.05,
} as const;

/** Holds the figures against the budgets. */
export function verdictsOf(results: Results): readonly Verdict[] {
  return [
    ...trafficVerdicts(results),
    ...deployVerdicts(results),
    startVerdict(results),
    hashingVerdict(results),
    analysisVerdict(results),
    memoryVerdict(results),
    ...engineVerdicts(results),
  ];
}

/** How long we took as a share of the other one's time: the median over the pairs. */
export function shareOf(pairs: Comparison["pairs"]): number {
  return median(pairs.map(({ ours, other }) => ours / other));
}

function trafficVerdicts({ traffic }: Results): readonly Verdict[] {
  return traffic.flatMap(({ link, change, logged, sent, received, newLayers }) => {
    const work = `${routes[change]}, ${link} link`;
    // What the registry answered: ours has the attempt to speak TLS with one that does not.
    const count = logged;
    const limit = change === "nothing" ? most.reuseRequests : most.assembleRequests;
    const above = sent - newLayers;
    return [
      { work, budget: `${limit} requests`, measured: `${count}`, isMet: count <= limit },
      { work, budget: "256 KiB down", measured: inKibi(received), isMet: received <= most.down },
      {
        work,
        budget: change === "nothing" ? "no layer bytes up" : "new layer + 64 KiB up",
        measured: `${inKibi(newLayers)} + ${inKibi(above)}`,
        isMet: above <= most.up && (change === "source" || newLayers === 0),
      },
    ];
  });
}

const routes: Readonly<Record<Change, string>> = { source: "assemble", nothing: "reuse" };

interface DeployBudget {
  readonly contender: string;
  readonly limit: number;
  readonly text: string;
  readonly changes: readonly Change[];
}

const deployBudgets: readonly DeployBudget[] = [
  { contender: "classic", limit: most.share, text: "1/20 of the classic recipe", changes: ["nothing", "source"] },
  {
    contender: "classic-old",
    limit: most.share,
    text: "1/20 of the classic recipe, Docker 20",
    changes: ["nothing", "source"],
  },
  { contender: "registry-cache", limit: most.share, text: "1/20 of BuildKit's registry cache", changes: ["source"] },
  { contender: "expert", limit: 1, text: "faster than the expert's best", changes: ["source"] },
  { contender: "crane", limit: most.crane, text: "1.5 x crane append", changes: ["source"] },
];

function deployVerdicts({ deploys }: Results): readonly Verdict[] {
  return deployBudgets.flatMap(({ contender, limit, text, changes }) =>
    changes.flatMap((change) =>
      (["direct", "shaped"] satisfies LinkName[]).flatMap((link) => {
        const found = deploys.find((one) => one.contender === contender && one.change === change && one.link === link);
        if (found === undefined) return [];
        const share = shareOf(found.pairs);
        const measured = share < 0.5 ? `1/${(1 / share).toFixed(1)}` : `${share.toFixed(2)} x`;
        return [{ work: `${routes[change]}, ${link} link`, budget: text, measured, isMet: share <= limit }];
      }),
    ),
  );
}

function startVerdict({ start }: Results): Verdict {
  const seconds = median(start.firstRequest);
  const measured = `${(seconds * 1000).toFixed(0)} ms (Node alone: ${(median(start.node) * 1000).toFixed(0)} ms)`;
  return { work: "start to first request", budget: "150 ms", measured, isMet: seconds <= most.startSeconds };
}

function hashingVerdict({ hashing }: Results): Verdict {
  const share = shareOf(hashing.pairs);
  const work = `planning with ${hashing.files} small files`;
  return { work, budget: "no slower than tar c | sha256sum", measured: `${share.toFixed(2)} x`, isMet: share <= 1 };
}

function analysisVerdict({ analysis }: Results): Verdict {
  const { commits, files } = analysis;
  const seconds = median(analysis.seconds);
  const work = `analyzing ${commits} commits of ${files} files`;
  return { work, budget: "30 s", measured: `${seconds.toFixed(1)} s`, isMet: seconds <= most.analysisSeconds };
}

function memoryVerdict({ memory }: Results): Verdict {
  const [least, greatest] = [memory[0], memory.at(-1)];
  const work = `memory with a layer of ${((greatest?.layerBytes ?? 0) / mebi).toFixed(0)} MiB`;
  const inMebi = (bytes: number) => `${(bytes / mebi).toFixed(0)} MiB`;
  const measured = `${inMebi(greatest?.peakBytes ?? 0)} (a layer of ${inMebi(least?.layerBytes ?? 0)}: ${inMebi(least?.peakBytes ?? 0)})`;
  return { work, budget: "200 MiB", measured, isMet: memory.every(({ peakBytes }) => peakBytes <= most.peakBytes) };
}

/** A first build has no budget: it reads the base once, for all builds to come. */
function engineVerdicts({ engine }: Results): readonly Verdict[] {
  const residuals = engine.filter(({ name }) => name === "residual");
  return residuals.map(({ pairs }) => {
    const share = shareOf(pairs);
    const budget = "1.05 x the same residual by hand";
    return { work: "engine", budget, measured: `${share.toFixed(2)} x`, isMet: share <= most.engine };
  });
}

function inKibi(bytes: number): string {
  return `${(bytes / kibi).toFixed(0)} KiB`;
}
