// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { shareOf, verdictsOf } from "./budgets.ts";
import type { Comparison, Results, Traffic } from "./results.ts";

const mebi = 1024 * 1024;

const source: Traffic = {
  link: "direct",
  change: "source",
  route: "assemble",
  requests: 21,
  logged: 20,
  sent: 1_000_000 + 64 * 1024,
  received: 256 * 1024,
  wireSent: 0,
  wireReceived: 0,
  newLayers: 1_000_000,
};

const crane: Comparison = {
  contender: "crane",
  title: "crane",
  link: "direct",
  change: "source",
  pairs: [
    { ours: 3, other: 2 },
    { ours: 9, other: 1 },
    { ours: 1, other: 9 },
  ],
  executed: 0,
  received: 0,
  sent: 0,
};

/** Everything exactly at its limit. */
const results: Results = {
  command: "npm run bench",
  date: "2026-01-01T00:00:00Z",
  machine: { processor: "", cores: 1, memory: 1, kernel: "", load: [], versions: {} },
  links: [],
  deploys: [crane],
  traffic: [source, { ...source, change: "nothing", requests: 12, logged: 12, sent: 64 * 1024, newLayers: 0 }],
  start: { firstRequest: [0.15], node: [0.05] },
  hashing: { files: 1, bytes: 1, pairs: [{ ours: 1, other: 1 }] },
  analysis: { files: 5000, commits: 1000, seconds: [30] },
  memory: [{ layerBytes: 2048 * mebi, peakBytes: 200 * mebi, seconds: 1 }],
  engine: [{ name: "residual", title: "", pairs: [{ ours: 1.05, other: 1, published: 1 }] }],
};

it("takes the median of the pairs' ratios, not the ratio of medians", () => {
  expect(shareOf(crane.pairs)).toBe(1.5);
});

it("counts a budget as met at its limit", () => {
  expect(verdictsOf(results).filter(({ isMet }) => !isMet)).toEqual([]);
});

it.each<{ what: string; changed: Partial<Results>; budget: string }>([
  { what: "requests", changed: { traffic: [{ ...source, logged: 21 }] }, budget: "20 requests" },
  { what: "bytes down", changed: { traffic: [{ ...source, received: 256 * 1024 + 1 }] }, budget: "256 KiB down" },
  { what: "bytes up", changed: { traffic: [{ ...source, sent: source.sent + 1 }] }, budget: "new layer + 64 KiB up" },
  {
    what: "layers for nothing",
    changed: { traffic: [{ ...source, change: "nothing", requests: 1, logged: 1 }] },
    budget: "no layer bytes up",
  },
  {
    what: "time against crane",
    changed: { deploys: [{ ...crane, pairs: [{ ours: 1.51, other: 1 }] }] },
    budget: "1.5 x crane append",
  },
  {
    what: "time to analyze",
    changed: { analysis: { files: 5000, commits: 1000, seconds: [29, 30.1, 31] } },
    budget: "30 s",
  },
  { what: "time to start", changed: { start: { firstRequest: [0.151], node: [0] } }, budget: "150 ms" },
  {
    what: "memory",
    changed: { memory: [{ layerBytes: mebi, peakBytes: 200 * mebi + 1, seconds: 1 }] },
    budget: "200 MiB",
  },
  {
    what: "time beside the engine",
    changed: { engine: [{ name: "residual", title: "", pairs: [{ ours: 1.06, other: 1, published: 1 }] }] },
    budget: "1.05 x the same residual by hand",
  },
])("says that a budget is not met with too much $what", ({ changed, budget }) => {
  const missed = verdictsOf({ ...results, ...changed }).filter(({ isMet }) => !isMet);

  expect(missed.map((verdict) => verdict.budget)).toEqual([budget]);
});
