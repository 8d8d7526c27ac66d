// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { posix, relative, resolve } from "node:path";
import { proposalsFromAdvice } from "../advise-history.ts";
import type { Analysis } from "../analyze/analysis.ts";
import { decodeMeasuredReport, type MeasuredReport } from "../analyze/costs.ts";
import type { BuildPlace } from "../analyze/follow-places.ts";
import { type AnalyzeOptions, analyzeHistory, type Proposal } from "../analyze.ts";
import { type BacktestOptions, backtest } from "../backtest.ts";
import { backtestRecords, type RecordedPlace } from "../backtest-records.ts";
import { LayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import type { Repository, Revisions } from "../ports.ts";
import { renderAnalysis, renderAnalysisJson } from "../report/render-analysis.ts";
import type { Palette } from "../report/render-text.ts";
import { machinePlatform, openContextDirectory, openGitRepository, type Wired, writeContext } from "../wire.ts";
import { readAnalyzeOptions } from "./analyze-options.ts";
import { openBuildContexts } from "./build-contexts.ts";
import { summaryFile, writeCiFiles } from "./ci-outputs.ts";
import { openBuildSettings, openCacheRepository, openTaggedPlace } from "./open-build.ts";
import type { CommandOptions, RawFlags } from "./options.ts";
import { writeReports } from "./report-file.ts";
import type { Surroundings } from "./run.ts";

/** What the command runs with. */
export interface Analyzing {
  readonly options: CommandOptions;
  readonly flags: RawFlags;
  readonly wired: Wired;
  readonly around: Surroundings;
  readonly emit: Emit;
  readonly palette: Palette;
}

/** `layerwise analyze`: replays a branch's history and prints what builds would have done. */
export async function analyzeCommand(analyzing: Analyzing): Promise<Analysis> {
  const { options, around, palette } = analyzing;
  const { signal, env } = around;
  const revisions = await openGitRepository({ directory: options.context, env }, { signal });
  try {
    const analysis = await analyze(revisions, analyzing);
    await writeReports(options.reports, {
      json: async () => renderAnalysisJson(analysis),
      markdown: async () => (await import("../report/render-markdown.ts")).renderAnalysisMarkdown(analysis),
      html: async () => (await import("../report/render-analysis-html.ts")).renderAnalysisHtml(analysis),
    });
    const summary = summaryFile(env);
    if (summary !== undefined) {
      const { renderAnalysisMarkdown } = await import("../report/render-markdown.ts");
      const file = { path: summary, text: renderAnalysisMarkdown(analysis), append: true };
      await writeCiFiles([file], (message) => void around.stderr.write(`warning    ${message}\n`));
    }
    around.stdout.write(options.json ? renderAnalysisJson(analysis) : renderAnalysis(analysis, palette));
    return analysis;
  } finally {
    await revisions.close();
  }
}

async function analyze(revisions: Revisions, { options, flags, wired, around, emit }: Analyzing): Promise<Analysis> {
  const asked = readAnalyzeOptions(flags);
  const { named, directories, otherContexts } = openBuildContexts(options.buildContexts);
  const { durations, whatIf, whatIfIgnore, whatIfAdvice, backtest: sample, ...rest } = asked;
  const platform = machinePlatform();
  const input: AnalyzeOptions = {
    ...rest,
    revisions,
    place: await placeOf(revisions, { options, branch: asked.branch }),
    target: options.target,
    buildArgs: options.buildArgs,
    buildPlatform: platform,
    targetPlatform: options.platform ?? platform,
    runOptions: options.runs,
    named,
    // The history has its own, which is not read here.
    otherContexts: [...otherContexts, ...directories.keys()],
    checkpoints: options.checkpoints,
    reports: await readReports(durations),
    proposals: await readProposals(whatIf, whatIfIgnore),
    version: around.version,
    signal: around.signal,
    onProgress: progressOf(around),
  };
  const { ports, hear } = wired;
  const advised = whatIfAdvice
    ? await proposalsFromAdvice(input, {
        options: await openBuildSettings(options, { wired, around, isPlan: true }),
        ports,
        emit,
      })
    : [];
  if (whatIfAdvice && advised.length === 0) around.stderr.write("advice     none for the newest commits\n");
  const proposals = [...input.proposals, ...advised];
  const analysis = await analyzeHistory({ ...input, proposals }, { repositories: ports.repositories, emit });
  if (sample === undefined) return analysis;
  if (sample === "recorded") {
    const recorded = recordedPlace(options, wired);
    return {
      ...analysis,
      backtest: await backtestRecords(input, recorded, { repositories: ports.repositories, emit }),
    };
  }
  const tried = { sample, repository: backtestRepository(options, wired), checkOut: checkOutWith(wired) };
  return { ...analysis, backtest: await backtest(input, tried, { ports, emit, hear }) };
}

function recordedPlace(options: CommandOptions, wired: Wired): RecordedPlace {
  const { cacheRepo, tags } = options;
  const place = openTaggedPlace(options, wired);
  if (place === undefined || tags.length === 0) {
    throw new LayerwiseError("USAGE", "could not backtest with records: there is no tag", {
      hint: "name the image that builds of the branch publish with --tag REPOSITORY:TAG",
    });
  }
  const { repositories } = wired.ports;
  return { place, cache: cacheRepo === undefined ? place.repository : openCacheRepository(cacheRepo, repositories) };
}

function backtestRepository({ cacheRepo }: CommandOptions, { ports }: Wired): Repository {
  if (cacheRepo !== undefined) return openCacheRepository(cacheRepo, ports.repositories);
  throw new LayerwiseError("USAGE", "could not backtest: there is no repository to build into", {
    hint: "give --cache-repo REPOSITORY, best one that nothing else uses",
  });
}

function checkOutWith({ spool }: Wired): BacktestOptions["checkOut"] {
  return async (context, call) => {
    const folder = await spool.createFolder();
    await writeContext(context, { folder, ...call });
    return openContextDirectory(folder);
  };
}

/** The Dockerfile's name is looked for as a build does: `Dockerfile`, then in lower case. */
async function placeOf(
  revisions: Revisions,
  { options, branch }: { options: CommandOptions; branch: string },
): Promise<BuildPlace> {
  const directory = revisions.prefix;
  if (options.file === undefined) {
    const usual = posix.join(directory, "Dockerfile");
    const lower = posix.join(directory, "dockerfile");
    const newest = await revisions.commit(branch);
    const isLower =
      (await revisions.text(newest, usual)) === undefined && (await revisions.text(newest, lower)) !== undefined;
    return { directory, dockerfile: isLower ? lower : usual };
  }
  const dockerfile = posix.join(directory, relative(resolve(options.context), resolve(options.file)));
  if (dockerfile.startsWith("..")) {
    throw new LayerwiseError("USAGE", `could not use --file ${options.file}: it is not in the git repository`, {
      hint: "name a Dockerfile of the repository; --what-if takes one from elsewhere",
    });
  }
  return { directory, dockerfile };
}

async function readReports(files: readonly string[]): Promise<readonly MeasuredReport[]> {
  return await Promise.all(files.map(async (file) => decodeMeasuredReport(await readText(file, "durations"), file)));
}

/** Dockerfiles to try, each with the ignore file if one is given; an ignore file alone is tried too. */
async function readProposals(dockerfiles: readonly string[], ignore: string | undefined): Promise<readonly Proposal[]> {
  const ignoreFile = ignore === undefined ? undefined : await readText(ignore, "what-if-ignore");
  if (dockerfiles.length === 0 && ignore !== undefined) return [{ name: ignore, dockerfile: undefined, ignoreFile }];
  return await Promise.all(
    dockerfiles.map(async (file) => ({ name: file, dockerfile: await readText(file, "what-if"), ignoreFile })),
  );
}

async function readText(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new LayerwiseError("USAGE", `could not read --${flag} ${file}: ${why}`, {
      cause,
      hint: "name a file that is there",
    });
  }
}

/** Commits between two lines of progress. */
const progressStep = 100;

function progressOf({ stderr }: Surroundings): (done: number, all: number) => void {
  return (done, all) => {
    if (done % progressStep === 0 && done < all) stderr.write(`replayed   ${done} of ${all} builds\n`);
  };
}
