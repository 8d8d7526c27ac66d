// SPDX-License-Identifier: Apache-2.0
import type { Writable } from "node:stream";
import { createColors } from "picocolors";
import { build, planOnly } from "../build.ts";
import { hasCode, LayerwiseError } from "../error.ts";
import { renderPlanJson, renderReportJson } from "../report/render-json.ts";
import { type Palette, renderPlan, renderReport } from "../report/render-text.ts";
import type { Report } from "../report/report.ts";
import { openWorld, type Wired } from "../wire.ts";
import { analyzeCommand } from "./analyze-command.ts";
import { ciOutputs, summaryFile, writeCiFiles } from "./ci-outputs.ts";
import { type Console, openConsole, type ProgressKind } from "./console.ts";
import { copyCommand } from "./copy-command.ts";
import { exitCodeOf } from "./exit-code.ts";
import { lockCommand } from "./lock-command.ts";
import { metadataOf } from "./metadata.ts";
import { openBuildOptions } from "./open-build.ts";
import { type CommandOptions, readOptions } from "./options.ts";
import { errorEvent, printedError } from "./print-error.ts";
import { type Chosen, parseCommandLine } from "./program.ts";
import { pruneCommand } from "./prune-command.ts";
import { writeReports, writeText } from "./report-file.ts";
import { verifyCommand } from "./verify-command.ts";

/** What a command line program has around it. */
export interface Surroundings {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean | undefined };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Interrupts the work. */
  readonly signal: AbortSignal;
}

/** Runs the command line; gives the exit code. */
export async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  const { stdout, stderr, version } = around;
  const output = { out: (text: string) => void stdout.write(text), err: (text: string) => void stderr.write(text) };
  const said: Said = { dockerfile: undefined, isJson: false };
  try {
    const chosen = parseCommandLine(argv, { version, output });
    if (chosen.command === "none") return chosen.exitCode;
    return await runCommand(chosen, { around, said });
  } catch (error) {
    const known = around.signal.aborted ? cancelled(error) : error;
    const { dockerfile, isJson } = said;
    stderr.write(isJson ? errorEvent(known, { version }) : printedError(known, { version, dockerfile }));
    return exitCodeOf(known);
  }
}

/** What printing an error depends on, as soon as it is known. */
interface Said {
  /** What errors may quote. */
  dockerfile: string | undefined;
  isJson: boolean;
}

/** Commands that may take long enough to be watched. */
const showsProgress: ReadonlySet<string> = new Set(["build", "copy"]);

interface Running {
  readonly around: Surroundings;
  readonly said: Said;
}

async function runCommand(chosen: Chosen, { around, said }: Running): Promise<number> {
  const { command, operands, flags } = chosen;
  // Tags of a copy are tags alone, and no names of images.
  const read = command === "copy" ? { ...flags, tag: [] } : flags;
  const options = readOptions(operands[0] ?? ".", { flags: read, env: around.env });
  const palette: Palette = createColors(usesColour(around));
  const kind = progressKind(options.progress, around);
  said.isJson = kind === "json";
  const live = openConsole(!showsProgress.has(command) && kind !== "json" ? "quiet" : kind, {
    stream: around.stderr,
    palette,
  });
  const { builder, insecureRegistries, registryCa } = options;
  const { env, version } = around;
  const wired = openWorld({ env, version, builder, insecureRegistries, registryCa });
  try {
    return await perform(chosen, { options, wired, around, palette, kind, live, said });
  } catch (error) {
    live.end();
    if (hasCode(error, "BUILD_FAILED")) for (const line of live.unseen()) around.stderr.write(`${line}\n`);
    throw error;
  } finally {
    live.end();
    await wired.close();
  }
}

interface Performing extends Running {
  readonly options: CommandOptions;
  readonly wired: Wired;
  readonly palette: Palette;
  readonly kind: ProgressKind;
  readonly live: Console;
}

async function perform({ command, operands, flags }: Chosen, performing: Performing): Promise<number> {
  const { options, wired, around, palette, kind, live, said } = performing;
  const { ports } = wired;
  switch (command) {
    case "prune":
      await pruneCommand(flags, { wired, around });
      return 0;
    case "analyze":
      await analyzeCommand({ options, flags, wired, around, palette, emit: live.emit });
      return 0;
    case "copy":
      await copyCommand(operands, { options, flags, wired, around, emit: live.emit });
      return 0;
    case "verify": {
      const readDockerfile = (text: string | undefined) => {
        said.dockerfile = text;
      };
      return await verifyCommand(operands, { options, wired, around, palette, readDockerfile, emit: live.emit });
    }
    case "lock": {
      const opened = await openBuildOptions({ ...options, lockFile: undefined }, { wired, around, isPlan: true });
      said.dockerfile = opened.dockerfile.text;
      await lockCommand(flags, { opened, options, wired, around });
      return 0;
    }
    case "plan": {
      const opened = await openBuildOptions(options, { wired, around, isPlan: true });
      said.dockerfile = opened.dockerfile.text;
      const plan = await planOnly(opened, { ports, emit: live.emit });
      live.end();
      around.stdout.write(options.json ? renderPlanJson(plan, opened) : renderPlan(plan, palette));
      return 0;
    }
    case "build": {
      const opened = await openBuildOptions(options, { wired, around, isPlan: false });
      said.dockerfile = opened.dockerfile.text;
      const { report } = await build(opened, { ports, emit: live.emit, hear: wired.hear });
      live.end();
      await writeResults(report, { options, kind, around, palette });
      return 0;
    }
  }
}

async function writeResults(
  report: Report,
  {
    options,
    kind,
    around,
    palette,
  }: { options: CommandOptions; kind: ProgressKind; around: Surroundings; palette: Palette },
): Promise<void> {
  const { env, stderr, stdout } = around;
  await writeReports(options.reports, {
    json: async () => renderReportJson(report),
    markdown: async () => (await import("../report/render-markdown.ts")).renderReportMarkdown(report),
    html: async () => (await import("../report/render-report-html.ts")).renderReportHtml(report),
  });
  if (options.metadataFile !== undefined) await writeText(options.metadataFile, metadataOf(report));
  if (options.iidFile !== undefined) await writeText(options.iidFile, report.image.id);
  const summary = summaryFile(env);
  const forCi = [...ciOutputs(report, env)];
  if (summary !== undefined) {
    const { renderReportMarkdown } = await import("../report/render-markdown.ts");
    forCi.push({ path: summary, text: renderReportMarkdown(report), append: true });
  }
  await writeCiFiles(forCi, (message) => void stderr.write(`warning    ${message}\n`));
  const holdsArchive = options.outputs.some((output) => output.kind === "archive" && output.path === "-");
  if (kind === "quiet" && !holdsArchive) stdout.write(`${report.image.id}\n`);
  if (kind === "plain" || kind === "tty") stderr.write(`\n${renderReport(report, palette)}`);
}

function progressKind(asked: CommandOptions["progress"], { stderr, env }: Surroundings): ProgressKind {
  if (asked !== "auto") return asked;
  return stderr.isTTY === true && env["CI"] === undefined && env["TERM"] !== "dumb" ? "tty" : "plain";
}

/** https://no-color.org and its counterpart. */
function usesColour({ stderr, env }: Surroundings): boolean {
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false;
  if (env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0") return true;
  return stderr.isTTY === true;
}

function cancelled(cause: unknown): LayerwiseError {
  return new LayerwiseError("CANCELLED", "could not finish the build: it was interrupted", {
    cause,
    hint: "run it again: what is uploaded is used again, and no tag has moved unless the log says so",
  });
}
