// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { isDebianRoot, LabError } from "layerwise-lab";
import { chooseMode } from "./choose-mode.ts";
import { DemoError } from "./demo-error.ts";
import { dockerVersion, showOnDocker } from "./docker-here.ts";
import { showInLayout } from "./layout-only.ts";
import { thisMachine } from "./machine.ts";
import { type Narrator, narrateTo } from "./narrator.ts";
import { readDemoOptions, usage } from "./options.ts";
import { type Showing, showOnPrivateEngines } from "./private-engines.ts";
import type { DemoRecord, Mode, Series } from "./record.ts";
import { renderSeries } from "./render-table.ts";
import { timed } from "./timed.ts";

/** Runs the demonstration; gives the exit code. */
export async function runDemo(args: readonly string[]): Promise<number> {
  const narrator = narrateTo(process.stdout);
  try {
    const options = readDemoOptions(args);
    if (options.help) narrator.say(usage);
    else await show(options, narrator);
    return 0;
  } catch (error) {
    const isKnown = error instanceof DemoError || error instanceof LabError;
    process.stderr.write(`${isKnown ? error.message : (error as Error).stack}\n`);
    return 1;
  }
}

async function show(options: ReturnType<typeof readDemoOptions>, narrator: Narrator): Promise<void> {
  const { quick, json } = options;
  const { mode, hint } = options.mode === undefined ? await chooseMode() : { mode: options.mode, hint: undefined };
  if (hint !== undefined) narrator.say(hint);
  const { result: series, seconds } = await timed(() => seriesOf(mode, { quick, narrator }));
  for (const one of series) narrator.say(`\n${renderSeries(one)}`);
  const machine = thisMachine();
  narrator.say(
    `${machine.system}, ${machine.processors} processors, Node ${machine.node}; all of it took ${Math.round(seconds)} s.`,
  );
  if (json === undefined) return;
  const record: DemoRecord = { version: 1, date: new Date().toISOString(), machine, mode, quick, series, seconds };
  await writeFile(json, `${JSON.stringify(record, undefined, 2)}\n`);
  narrator.say(`The figures are in ${json}.`);
}

async function seriesOf(mode: Mode, showing: Showing): Promise<readonly Series[]> {
  switch (mode) {
    case "engines":
      if (!(await isDebianRoot())) {
        throw new DemoError(
          "could not start private engines: run this as root on Debian (in a container: --privileged, and a volume that LAYERWISE_LAB names)",
        );
      }
      return await showOnPrivateEngines(showing);
    case "docker": {
      const version = await dockerVersion();
      if (version === undefined) {
        throw new DemoError(
          "could not use Docker: none answers that has BuildKit; start it, or install Docker with buildx",
        );
      }
      return [await showOnDocker(version, showing)];
    }
    case "layout":
      return [await showInLayout(showing)];
  }
}
