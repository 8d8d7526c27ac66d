// SPDX-License-Identifier: Apache-2.0
import type { Analysis } from "../src/analyze/analysis.ts";
import { compareBuilds } from "../src/analyze/backtest.ts";
import type { Cause } from "../src/analyze/cause.ts";
import { costsOf } from "../src/analyze/costs.ts";
import type { CommitOutcome } from "../src/analyze/replay.ts";
import { summarize } from "../src/analyze/summarize.ts";
import type { Report } from "../src/report/report.ts";
import type { BuildRecord } from "../src/spec/build-record.ts";
import { digestOf } from "../src/spec/digest.ts";
import { type ExplainCase, loadExplainCases, recordOfDraft } from "./explain-case.ts";

/** Records of three builds, the newest first. */
export function sampleHistory({ branch = "main" }: { readonly branch?: string } = {}): readonly BuildRecord[] {
  const [{ from }] = loadExplainCases() as [ExplainCase];
  const routes = ["reuse", "engine", "assemble"] as const;
  return routes.map((route, index) => ({
    ...recordOfDraft(from),
    time: `2026-01-0${4 - index}T10:00:00.000Z`,
    revision: String(index + 1).repeat(40),
    branch,
    route,
    seconds: [0.8, 95.25, 1.5][index] as number,
    sent: 1_000 * (index + 1),
    received: 2_000 * (index + 1),
  }));
}

/** A report of a build that assembled one layer. */
export function sampleReport({ instruction = "COPY src /src" }: { readonly instruction?: string }): Report {
  const step = { stage: "app", by: "checkpoint", why: "same inputs", seconds: 0, start: undefined } as const;
  return {
    version: 1,
    tool: { name: "layerwise", version: "1.2.3" },
    dockerfile: "Dockerfile",
    target: "app",
    platform: "linux/amd64",
    route: "assemble",
    reasons: [],
    explanation: {
      before: { reference: "registry.test/app:latest", digest: undefined, time: "2026-01-01T00:00:00Z" },
      steps: [
        { stage: "app", line: 4, cause: "files", text: "2 files changed", origin: 4, details: ["src/<a>.py changed"] },
      ],
    },
    engine: undefined,
    verification: undefined,
    steps: [
      { ...step, line: 2, instruction: "COPY requirements.txt .", state: "reused", bytes: 198, key: digestOf("2") },
      { ...step, line: 3, instruction: "RUN pip install", state: "reused", bytes: 90_000_000, key: digestOf("3") },
      {
        stage: "app",
        line: 4,
        instruction,
        state: "made",
        by: "assemble",
        why: "no checkpoint for its inputs",
        seconds: 0.4,
        start: 0.3,
        bytes: 1_000_000,
        key: digestOf("4"),
      },
    ],
    image: {
      digest: digestOf("manifest"),
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      manifestSize: 1000,
      config: digestOf("config"),
      id: digestOf("config"),
      references: ["registry.test/app:1"],
      contentTag: "content-1",
      bytes: 104_000_000,
      layers: 9,
    },
    requests: { count: 18, sent: 1_000_000, received: 66_900 },
    blobs: {
      present: { count: 8, bytes: 103_000_000 },
      mounted: { count: 0, bytes: 0 },
      uploaded: { count: 2, bytes: 1_000_000 },
    },
    checkpoints: {
      found: [{ tag: `lwcache-${"0".repeat(40)}`, instruction: "RUN pip install" }],
      saved: [{ tag: `lwcache-${"1".repeat(40)}`, instruction }],
      refused: [{ tag: `lwcache-${"2".repeat(40)}`, why: "a RUN in it is older than allowed" }],
    },
    warnings: ["one thing did not go as it should"],
    seconds: { plan: 0.3, produce: 0.45, verify: 0, publish: 0.3, save: 0.2, total: 1.25 },
  };
}

/** Why the three steps of each of five commits would be made; undefined: reused. */
const sampleCauses: readonly (readonly (Cause | undefined)[])[] = [
  [{ name: "first" }, { name: "first" }, { name: "first" }],
  [undefined, undefined, { name: "files", files: { count: 2, names: ["src/a.py", "src/b.py"] } }],
  [{ name: "files", files: { count: 1, names: ["requirements.txt"] } }, { name: "parent" }, { name: "parent" }],
  [undefined, undefined, undefined],
  [undefined, undefined, { name: "files", files: { count: 1, names: ["src/a.py"] } }],
];

/** An analysis of a hundred commits. */
export function longAnalysis(): Analysis {
  return sampleAnalysis({ repeat: 20 });
}

/** An analysis of five commits, or of more in the same way, as they were and with two sets of fixed files. */
export function sampleAnalysis({
  subject = "a change",
  instruction = "COPY src /src",
  repeat = 1,
}: {
  readonly subject?: string;
  readonly instruction?: string;
  readonly repeat?: number;
}): Analysis {
  const written = [
    { stage: "app", kind: "copy", text: "COPY requirements.txt .", line: 2 },
    { stage: "app", kind: "run", text: "RUN install", line: 3 },
    { stage: "app", kind: "copy", text: instruction, line: 4 },
  ];
  const later = sampleCauses.slice(1);
  const all = [...sampleCauses, ...Array.from({ length: (repeat - 1) * 5 }, (_, index) => later[index % 4] ?? [])];
  const outcomes = all.map((causes, index): CommitOutcome => {
    const id = index.toString().padStart(40, "0");
    const commit = { id, tree: id, parents: [], time: 1_760_000_000 + index * 650_000, subject };
    const steps = written.map((step, at) => ({ written: step, cause: causes[at], key: digestOf(`${index} ${at}`) }));
    const made = causes.filter((cause) => cause !== undefined).length;
    return {
      kind: "planned",
      commit,
      route: made === 0 ? "reuse" : made === 1 ? "assemble" : "engine",
      steps,
      transplants: [],
    };
  });
  const costs = costsOf([
    {
      route: "engine",
      steps: written.map(({ text, kind }) => ({
        instruction: text,
        state: "made",
        why: "",
        seconds: kind === "run" ? 60 : 30,
      })),
      seconds: { total: 120 },
    },
  ]);
  const rate = { unit: "seconds", reports: 1, buildsPerMonth: 60, rate: "option", pricePerMinute: 0.5 } as const;
  const variant = (name: string, kind: "as-it-was" | "fixed") => summarize({ name, kind, outcomes, costs, rate });
  const step = { stage: "app", line: 4, key: digestOf("4") } as const;
  const predicted = { route: "assemble", steps: [{ ...step, state: "made" }] } as const;
  const reused = { route: "reuse", steps: [{ ...step, state: "reused" }] } as const;
  return {
    version: 1,
    kind: "analysis",
    tool: { name: "layerwise", version: "1.2.3" },
    branch: "main",
    dockerfile: "Dockerfile",
    history: {
      commits: all.length,
      oldest: "0".repeat(40),
      newest: "4".padStart(40, "0"),
      end: "shallow",
      days: 30.1,
    },
    bases: [{ reference: "base:1", platform: "linux/amd64", digest: undefined, why: "no registry was asked" }],
    notes: [{ kind: "submodule", path: "vendor/lib", detail: "0".repeat(40), commits: 5 }],
    costs: rate,
    variants: [
      variant("as it was", "as-it-was"),
      variant("today's files", "fixed"),
      variant("Dockerfile.new", "fixed"),
    ],
    backtest: compareBuilds(
      [
        { id: "1".repeat(40), predicted, actual: predicted, error: undefined },
        { id: "2".repeat(40), predicted, actual: reused, error: undefined },
      ],
      {
        source: "records",
        uncompared: [{ id: undefined, time: "2026-01-01T00:00:00.000Z", why: "platform", detail: "linux/arm64" }],
        unrecorded: 3,
      },
    ),
  };
}
