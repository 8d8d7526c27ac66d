// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { renderResults } from "./render-results.ts";
import type { Comparison, Results } from "./results.ts";

const expert: Comparison = {
  contender: "expert",
  title: "expert's best",
  link: "direct",
  change: "source",
  pairs: [{ ours: 0.25, other: 0.5 }],
  executed: 1,
  received: 1_000,
  sent: 12_000_000,
};

const results: Results = {
  command: "npm run bench -- --rounds 1",
  date: "2026-01-02T03:04:05Z",
  machine: {
    processor: "a processor",
    cores: 2,
    memory: 4,
    kernel: "6.1",
    load: [0.5, 1.25],
    versions: { node: "v20" },
  },
  links: [{ link: "direct", title: "Direct link", roundTrip: 0.25 }],
  deploys: [expert, { ...expert, change: "nothing", executed: 0 }],
  traffic: [
    {
      link: "direct",
      change: "source",
      route: "assemble",
      requests: 19,
      logged: 18,
      sent: 1_010_000,
      received: 60_000,
      wireSent: 1_050_000,
      wireReceived: 70_000,
      newLayers: 1_000_000,
    },
  ],
  start: { firstRequest: [0.2, 0.16, 0.12], node: [0.04] },
  analysis: { files: 5000, commits: 1000, seconds: [20, 21, 25] },
  hashing: { files: 50_000, bytes: 100_000_000, pairs: [{ ours: 2, other: 1 }] },
  memory: [{ layerBytes: 2 ** 31, peakBytes: 120 * 2 ** 20, seconds: 30 }],
  engine: [{ name: "residual", title: "by hand", pairs: [{ ours: 10.1, other: 10, published: 9 }] }],
};

it("shows the command, the machine, and each budget as met or not", () => {
  const page = renderResults(results);

  expect(page).toContain("Made by `npm run bench -- --rounds 1` on 2026-01-02");
  expect(page).toContain("a processor, 2 cores, 4 GiB, Linux 6.1. node v20.");
  expect(page).toContain("| start to first request | 150 ms | 160 ms (Node alone: 40 ms) | **not met** |");
  expect(page).toContain("| engine | 1.05 x the same residual by hand | 1.01 x | met |");
  expect(page).toContain(
    "| memory with a layer of 2048 MiB | 200 MiB | 120 MiB (a layer of 2048 MiB: 120 MiB) | met |",
  );
});

it("shows times with their ends, the ratio, and who installed the dependencies again", () => {
  const page = renderResults(results);

  const times = "0.50 s (0.50 s..0.50 s) | 250 ms (250 ms..250 ms) | 0.50 | 1";
  expect(page).toContain(`| expert's best | ${times} | 1 kB, 12 MB | 1 times |`);
  expect(page).toContain(`| expert's best | ${times} | 1 kB, 12 MB | never |`);
  expect(page).toContain("| start to first request | 160 ms (120 ms..200 ms) |");
});

it("gives every row of a table as many cells as its head", () => {
  const tables = renderResults(results)
    .split("\n\n")
    .filter((part) => part.startsWith("|"));

  expect(tables.length).toBeGreaterThan(5);
  for (const table of tables) {
    const cells = table
      .trim()
      .split("\n")
      .map((row) => row.replaceAll("\\|", "").split("|").length);
    expect(new Set(cells).size).toBe(1);
  }
});
