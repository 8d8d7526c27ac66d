// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, posix, relative } from "node:path";
import type { Advice } from "../advise/advice.ts";
import { LayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import {
  type Advised,
  buildHistory,
  type Explained,
  explainContext,
  explainRecords,
  explainReferences,
  type Named,
  readSavedBuild,
} from "../explain-build.ts";
import { type ExplainedRevisions, explainRevisions } from "../explain-revisions.ts";
import type { RevisionNote } from "../ports.ts";
import { type AdvisedFiles, adviceDocument, renderAdvice } from "../report/render-advice.ts";
import {
  renderExplanation,
  renderExplanationJson,
  renderHistory,
  renderHistoryJson,
} from "../report/render-explanation.ts";
import type { Palette } from "../report/render-text.ts";
import { openGitRepository, type Wired } from "../wire.ts";
import { openBuildOptions, openBuildSettings, openCacheRepository, openTaggedPlace } from "./open-build.ts";
import type { CommandOptions } from "./options.ts";
import type { Surroundings } from "./run.ts";

/** What the commands run with. */
export interface Explaining {
  readonly options: CommandOptions;
  readonly wired: Wired;
  readonly around: Surroundings;
  readonly emit: Emit;
  readonly palette: Palette;
  /** Told as soon as it is known, for errors that quote it. */
  readonly readDockerfile: (text: string | undefined) => void;
}

/** `layerwise explain`: why steps were made, or would be. */
export async function explainCommand(operands: readonly string[], explaining: Explaining): Promise<void> {
  const { options, around, palette } = explaining;
  const { explained, advice, notes, files } = await explain(operands, explaining);
  const { explanation } = explained;
  if (options.json) {
    const advised = files && { advice: adviceDocument(advice, files) };
    around.stdout.write(renderExplanationJson(explanation, { ...advised, ...(notes.length > 0 && { notes }) }));
    return;
  }
  around.stdout.write(renderExplanation(explanation, palette));
  if (files !== undefined) around.stdout.write(renderAdvice(advice, { files, palette }));
  for (const { kind, path, detail } of notes) around.stdout.write(`note: ${path} (${kind}) counts as ${detail}\n`);
}

/** What there is to print. */
interface Found {
  readonly explained: Explained;
  readonly advice: readonly Advice[];
  readonly notes: readonly RevisionNote[];
  /** The files that advice is about; undefined where there is nobody to advise. */
  readonly files: AdvisedFiles | undefined;
}

async function explain(operands: readonly string[], explaining: Explaining): Promise<Found> {
  const { options, wired, around } = explaining;
  const { ports } = wired;
  const [one, other] = operands;
  const { from, to, cacheRepo } = options;
  if (operands.length > (from === undefined ? 2 : 1)) {
    throw new LayerwiseError("USAGE", "could not read the command line: too many arguments for 'explain'", {
      hint: "give a build context, two saved plans, or two references",
    });
  }
  if (from !== undefined || to !== undefined) {
    const { notes, ...explained } = await explainCommits({ from, to }, explaining);
    return { explained, advice: [], notes, files: undefined };
  }
  if (one !== undefined && other !== undefined) {
    const cache = cacheRepo === undefined ? undefined : openCacheRepository(cacheRepo, ports.repositories);
    const explained =
      isSaved(one) && isSaved(other)
        ? explainRecords(await readSaved(one), await readSaved(other))
        : await explainReferences([one, other], { ports, cache, signal: around.signal });
    return { explained, advice: [], notes: [], files: undefined };
  }
  const { advice, files, ...explained } = await adviseContext(explaining);
  return { explained, advice, notes: [], files };
}

/** Explains a build of the context that the command names, with advice for its files. */
export async function adviseContext(explaining: Explaining): Promise<Advised & { readonly files: AdvisedFiles }> {
  const { options, wired, around, emit, readDockerfile } = explaining;
  const opened = await openBuildOptions(options, { wired, around, isPlan: true });
  const { text = "", file } = opened.dockerfile;
  readDockerfile(text);
  const advised = await explainContext(opened, { ports: wired.ports, emit });
  const files = {
    dockerfile: { name: file, text },
    ignore: { name: ignorePath({ context: options.context, file }), text: opened.ignoreFile ?? "" },
  };
  return { ...advised, files };
}

/** The ignore file that counts, or that would be made. */
function ignorePath({ context, file }: { context: string; file: string }): string {
  const beside = `${file}.dockerignore`;
  return existsSync(beside) ? beside : join(context, ".dockerignore");
}

async function explainCommits(
  { from, to = "HEAD" }: { from: string | undefined; to: string | undefined },
  { options, wired, around, emit }: Explaining,
): Promise<ExplainedRevisions> {
  if (from === undefined) {
    throw new LayerwiseError("USAGE", "could not explain --to alone: there is no --from", {
      hint: "name both revisions, for example --from main --to HEAD",
    });
  }
  const { context, file } = options;
  const settings = await openBuildSettings(options, { wired, around, isPlan: true });
  const revisions = await openGitRepository({ directory: context, env: around.env }, { signal: around.signal });
  try {
    const directory = revisions.prefix;
    const path = file === undefined ? "Dockerfile" : relative(context, file);
    const pair = { revisions, from, to, directory, file: posix.join(directory, path) };
    return await explainRevisions(pair, { options: settings, ports: wired.ports, emit });
  } finally {
    await revisions.close();
  }
}

function isSaved(operand: string): boolean {
  return operand.endsWith(".json");
}

async function readSaved(path: string): Promise<Named> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new LayerwiseError("DISK", `could not read ${path}: ${code}`, {
      cause,
      hint: "give a file that `layerwise plan --json` wrote",
    });
  }
  return readSavedBuild(text, path);
}

/** `layerwise history`: the builds that led to the image that a tag points to. */
export async function historyCommand({ options, wired, around, palette }: Explaining): Promise<void> {
  const place = openTaggedPlace(options, wired);
  if (place === undefined || options.tags.length === 0) {
    throw new LayerwiseError("USAGE", "could not show the history of builds: there is no tag", {
      hint: "name the image with --tag REPOSITORY:TAG",
    });
  }
  const { cacheRepo, last } = options;
  const cache = cacheRepo === undefined ? place.repository : openCacheRepository(cacheRepo, wired.ports.repositories);
  const { builds, end } = await buildHistory({ place, cache, signal: around.signal }, { last: readLast(last) });
  if (options.json) {
    around.stdout.write(renderHistoryJson(builds));
    return;
  }
  if (builds.length > 0) around.stdout.write(renderHistory(builds, palette));
  if (end?.kind === "no-build") around.stdout.write(`there is no ${end.looked.join(" and no ")}\n`);
  if (end?.kind === "no-record") around.stdout.write(`no record of the build of ${end.reference}: ${end.why}\n`);
}

/** How many builds `--last` asks for. */
function readLast(text = "20"): number {
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw new LayerwiseError("USAGE", `could not read --last ${text}`, { hint: "write a number from 1 to 9999" });
}
