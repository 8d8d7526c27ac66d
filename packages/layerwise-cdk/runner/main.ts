#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { openCommandLine } from "./command-line.ts";
import { RunnerError } from "./runner-error.ts";
import { readSettings } from "./settings.ts";

const [command = "", ...words] = process.argv.slice(2);
const cli = await openCommandLine();
try {
  process.exitCode = command === "cli" ? await cli.run(words) : await runCommand();
} catch (error) {
  const known = error instanceof RunnerError;
  const text = known ? error.message : `${error instanceof Error ? error.stack : error}`;
  process.stderr.write(`error: ${text}\n${known && error.hint !== undefined ? `  hint: ${error.hint}\n` : ""}`);
  process.exitCode = known ? error.exitCode : 70;
} finally {
  await rm(cli.folder, { recursive: true, force: true });
}

async function runCommand(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { assembly: { type: "string" }, source: { type: "string" }, outputs: { type: "string" } },
  });
  const { assembly = ".", source = ".", outputs } = values;
  const gitHubOutput = process.env["GITHUB_OUTPUT"] || undefined;
  const running = { settings: readSettings(process.env), cli, assembly, source, outputs, gitHubOutput };
  // Synth uses `cli` for every image, and should not have to load what speaks to AWS.
  switch (command) {
    case "build":
      await (await import("./build-command.ts")).buildCommand(positionals, running);
      return 0;
    case "promote":
      await (await import("./promote-command.ts")).promoteCommand(positionals, running);
      return 0;
    case "continue":
      await (await import("./continue-command.ts")).continueCommand(running);
      return 0;
    default:
      throw new RunnerError(`there is no command "${command}"`, { hint: "use build, promote, continue or cli" });
  }
}
