// SPDX-License-Identifier: Apache-2.0
import type { Route } from "../../src/plan/route.ts";
import { imageDifferences } from "../e2e/corpus-differences.ts";
import { applyEdit, type CaseState, filled, startCase } from "../e2e/corpus-state.ts";
import type { Site } from "../e2e/site.ts";
import { buildInProcess, type OwnBuild } from "./in-process.ts";
import type { RenderedSeries } from "./render.ts";
import type { TruthBuilder } from "./truth-builder.ts";

/** A site, and how its engine is asked. */
export interface SoakSite {
  readonly site: Site;
  readonly truths: TruthBuilder;
}

/** What came of one build with layerwise and with the engine. */
export interface JudgedBuild {
  /** Undefined if layerwise did not build. */
  readonly route: Route | undefined;
  /** Names of the reasons for the engine, each once. */
  readonly why: readonly string[];
  /** The code of layerwise's error. */
  readonly code: string | undefined;
  readonly isEngineBuilt: boolean;
  /** What should not be, a line each. */
  readonly findings: readonly string[];
}

/** Goes through the builds of a series until one is not as it should be, or two on end are refused by both. */
export async function runSeries(
  { site, truths }: SoakSite,
  series: RenderedSeries,
  heard: (build: JudgedBuild) => void,
): Promise<readonly JudgedBuild[]> {
  const builds: JudgedBuild[] = [];
  try {
    const state = await startCase(site, series.first);
    for (let index = 0; index <= series.edits.length; index++) {
      const edit = series.edits[index - 1];
      if (edit !== undefined) await applyEdit(state, edit);
      const build = await judge(state, { index, truths });
      builds.push(build);
      heard(build);
      const wasRefused = index > 0 && builds.at(-2)?.route === undefined;
      if (build.findings.length > 0 || (build.route === undefined && wasRefused)) break;
    }
  } catch (error) {
    // A mistake of the soak's own, or an image that cannot be read at all.
    const text = error instanceof Error ? `${error.stack}` : String(error);
    builds.push({ route: undefined, why: [], code: undefined, isEngineBuilt: true, findings: [text] });
  }
  return builds;
}

async function judge(
  state: CaseState,
  { index, truths }: { index: number; truths: TruthBuilder },
): Promise<JudgedBuild> {
  const { site, reference, folder, one } = state;
  const truth = `${site.registry.name}/truth:${one.name}-${index}`;
  const options = state.options.map((option) => filled(option, state));
  const own = await buildInProcess(site, ["--tag", reference, ...options, folder]);
  const engine = await truths.build({ folder, options, reference: truth, isPromising: own.isBuilt });
  const report = own.isBuilt ? own.report : undefined;
  return {
    route: report?.route,
    why: [...new Set(report?.reasons.map(({ name }) => name))],
    code: own.isBuilt ? undefined : own.code,
    isEngineBuilt: engine === undefined,
    findings: await findingsOf(state, { own, engine, truth }),
  };
}

interface Judging {
  readonly own: OwnBuild;
  /** The engine's error. */
  readonly engine: string | undefined;
  readonly truth: string;
}

async function findingsOf(state: CaseState, { own, engine, truth }: Judging): Promise<readonly string[]> {
  const { site, reference } = state;
  if (!own.isBuilt) {
    if (engine === undefined) return [`layerwise failed and the engine built: ${own.text}`];
    // A bug of ours is no way to refuse what the engine refuses.
    return refusals.has(own.code) ? [] : [`layerwise failed with ${own.code}: ${own.text}`];
  }
  if (engine !== undefined) return [`layerwise built by ${own.report.route}, and the engine failed: ${engine}`];
  const { report } = own;
  // Directories of two builds from scratch that an engine makes at once can be the same ones.
  const isFirst =
    state.digest === undefined && report.route === "assemble" && !/^FROM scratch/im.test(state.dockerfile);
  state.digest = report.image.digest;
  return [
    ...report.warnings.map((text) => `a warning: ${text}`),
    ...report.checkpoints.refused.map(({ why }) => `a checkpoint was refused: ${why}`),
    ...(await imageDifferences(site, { reference, truth, isFirst })),
  ];
}

/** What layerwise may say of inputs that no builder takes. */
const refusals: ReadonlySet<string> = new Set([
  "BUILD_FAILED",
  "CONTEXT_ESCAPE",
  "CONTEXT_NOT_FOUND",
  "CONTEXT_UNSUPPORTED",
  "DOCKERFILE_SYNTAX",
  "DOCKERFILE_UNSUPPORTED",
]);
