// SPDX-License-Identifier: Apache-2.0
import { shareOf, type Verdict, verdictsOf } from "./budgets.ts";
import type { Change, Comparison, LinkFacts, Machine, Results } from "./results.ts";
import { spread } from "./statistics.ts";

/** Writes what was measured as a page. */
export function renderResults(results: Results): string {
  const { command, date, machine, links, deploys, traffic, start, hashing, analysis, memory, engine } = results;
  return `# Benchmark results

Made by \`${command}\` on ${date.slice(0, 10)}; do not edit. results.json holds every single figure.

${machineText(machine)}

## Budgets

${renderVerdicts(verdictsOf(results))}

Times of others and ours come in pairs, one right after the other, each in turn the first; a ratio is the median over
the pairs. Every engine is one that was never used, as on a machine that forgets everything; that is not in the time.
layerwise is one whole process of the bundled command line, without an engine, in the network of the engine that it is
compared with.

## Deploys

${links.map((link) => renderDeploys(link, deploys)).join("\n\n")}

## What layerwise moved

${table(
  [
    "link",
    "change",
    "route",
    "requests (report, registry's log)",
    "up, of that new layers",
    "down",
    "with all headers: up, down",
  ],
  traffic.map((one) => [
    one.link,
    changes[one.change],
    one.route,
    `${one.requests}, ${one.logged}`,
    `${kilo(one.sent)}, ${kilo(one.newLayers)}`,
    kilo(one.received),
    `${kilo(one.wireSent)}, ${kilo(one.wireReceived)}`,
  ]),
)}

## The program itself

${table(
  ["work", "median (least..greatest)", "to compare with"],
  [
    [
      "start to first request",
      spread(start.firstRequest, milli),
      `Node alone, to its end: ${spread(start.node, milli)}`,
    ],
    [
      `planning with ${hashing.files} files, ${kilo(hashing.bytes)}`,
      spread(
        hashing.pairs.map(({ ours }) => ours),
        seconds,
      ),
      `tar c | sha256sum: ${spread(
        hashing.pairs.map(({ other }) => other),
        seconds,
      )}`,
    ],
    [`analyzing ${analysis.commits} commits of ${analysis.files} files`, spread(analysis.seconds, seconds), "nothing"],
  ],
)}

${table(
  ["layer of one file that does not compress", "peak of memory", "time"],
  memory.map((one) => [mebi(one.layerBytes), mebi(one.peakBytes), seconds(one.seconds)]),
)}

## With an engine

Docker 28, containerd image store.

${table(
  ["compared with", "its time", "ours", "ours until published", "ratio"],
  engine.map(({ title, pairs }) => [
    title,
    spread(
      pairs.map(({ other }) => other),
      seconds,
    ),
    spread(
      pairs.map(({ ours }) => ours),
      seconds,
    ),
    spread(
      pairs.map(({ published }) => published),
      seconds,
    ),
    shareOf(pairs).toFixed(2),
  ]),
)}
`;
}

const changes: Readonly<Record<Change, string>> = { source: "source", nothing: "nothing" };

function machineText({ processor, cores, memory, kernel, load, versions }: Machine): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${processor}, ${cores} cores, ${memory} GiB, Linux ${kernel}. ${programs.join(", ")}. Load (one minute's mean)
before and after: ${load.map((one) => one.toFixed(1)).join(", ")}.`;
}

function renderVerdicts(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ work, budget, measured, isMet }) => [
    work,
    budget,
    measured,
    isMet ? "met" : "**not met**",
  ]);
  return table(["work", "budget", "measured", ""], rows);
}

function renderDeploys({ link, title, roundTrip }: LinkFacts, deploys: readonly Comparison[]): string {
  const own = deploys.filter((one) => one.link === link);
  const parts = (["source", "nothing"] satisfies Change[]).map((change) => {
    const rows = own.filter((one) => one.change === change).map(renderComparison);
    const head = [
      "contender",
      "its time",
      "layerwise",
      "ratio",
      "pairs",
      "its bytes down, up",
      "dependencies installed again",
    ];
    return `${change === "source" ? "The source changed:" : "Nothing changed:"}\n\n${table(head, rows)}`;
  });
  return `### ${title}\n\nA small request takes ${roundTrip.toFixed(1)} ms.\n\n${parts.join("\n\n")}`;
}

function renderComparison({ title, pairs, executed, received, sent }: Comparison): readonly string[] {
  const share = shareOf(pairs);
  return [
    title,
    spread(
      pairs.map(({ other }) => other),
      seconds,
    ),
    spread(
      pairs.map(({ ours }) => ours),
      milli,
    ),
    share < 0.5 ? `1/${(1 / share).toFixed(1)}` : share.toFixed(2),
    String(pairs.length),
    `${kilo(received)}, ${kilo(sent)}`,
    executed === 0 ? "never" : `${executed} times`,
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function milli(value: number): string {
  return `${(value * 1000).toFixed(0)} ms`;
}

function kilo(bytes: number): string {
  return bytes < 10_000_000 ? `${(bytes / 1000).toFixed(0)} kB` : `${(bytes / 1_000_000).toFixed(0)} MB`;
}

function mebi(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
