// SPDX-License-Identifier: Apache-2.0
import type { Writable } from "node:stream";
import { createColors } from "picocolors";
import { planOnly } from "../build.ts";
import { hasCode, LayerwiseError } from "../error.ts";
import { recordOfPlan } from "../explain-build.ts";
import { renderPlanJson } from "../report/render-json.ts";
import { type Palette, renderPlan } from "../report/render-text.ts";
import { openWorld, type Wired } from "../wire.ts";
import { type Console, openConsole, type ProgressKind } from "./console.ts";
import { copyCommand } from "./copy-command.ts";
import { runDocker } from "./docker/run-docker.ts";
import { exitCodeOf } from "./exit-code.ts";
import { explainCommand, historyCommand } from "./explain-command.ts";
import { fixCommand } from "./fix-command.ts";
import { lockCommand } from "./lock-command.ts";
import { openBuildOptions } from "./open-build.ts";
import { type CommandOptions, readOptions } from "./options.ts";
import { errorEvent, printedError } from "./print-error.ts";
import { type Chosen, parseCommandLine } from "./program.ts";
import { pruneCommand } from "./prune-command.ts";
import { progressKind, usesColour, writeResults } from "./results.ts";
import { tracedBuild } from "./traced-build.ts";
import { verifyCommand } from "./verify-command.ts";

/** What a command line program has around it. */
export interface Surroundings {
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean | undefined };
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
    if (argv[0] === "docker") return await runDocker(argv.slice(1), { around, said });
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
export interface Said {
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
  const readDockerfile = (text: string | undefined) => {
    said.dockerfile = text;
  };
  switch (command) {
    case "prune":
      await pruneCommand(flags, { wired, around });
      return 0;
    case "analyze": {
      // A build does without it.
      const { analyzeCommand } = await import("./analyze-command.ts");
      await analyzeCommand({ options, flags, wired, around, palette, emit: live.emit });
      return 0;
    }
    case "copy":
      await copyCommand(operands, { options, flags, wired, around, emit: live.emit });
      return 0;
    case "explain":
      await explainCommand(operands, { options, wired, around, palette, readDockerfile, emit: live.emit });
      return 0;
    case "fix":
      await fixCommand({ options, wired, around, palette, readDockerfile, emit: live.emit });
      return 0;
    case "history":
      await historyCommand({ options, wired, around, palette, readDockerfile, emit: live.emit });
      return 0;
    case "verify": {
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
      const record = () => recordOfPlan(plan, { options: opened, now: ports.clock.now() });
      around.stdout.write(options.json ? renderPlanJson(plan, opened, record()) : renderPlan(plan, palette));
      return 0;
    }
    case "build": {
      const opened = await openBuildOptions(options, { wired, around, isPlan: false });
      said.dockerfile = opened.dockerfile.text;
      const result = await tracedBuild(opened, { around, wired, emit: live.emit });
      live.end();
      await writeResults(result, { options, kind, around, palette });
      return 0;
    }
  }
}

function cancelled(cause: unknown): LayerwiseError {
  return new LayerwiseError("CANCELLED", "could not finish the build: it was interrupted", {
    cause,
    hint: "run it again: what is uploaded is used again, and no tag has moved unless the log says so",
  });
}
