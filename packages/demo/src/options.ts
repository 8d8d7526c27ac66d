// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";
import { DemoError } from "./demo-error.ts";
import type { Mode } from "./record.ts";

/** What the command line says. */
export interface DemoOptions {
  /** Where to write the record. */
  readonly json: string | undefined;
  /** The newest engine only, small dependencies, fewer deploys. */
  readonly quick: boolean;
  /** Undefined: the best that this machine allows. */
  readonly mode: Mode | undefined;
  readonly help: boolean;
}

/** How to call it. */
export const usage = `Usage: npm run demo -- [--quick] [--json FILE] [--mode MODE]

Deploys an application several times from a machine that remembers nothing, with the classic recipe
(docker pull, docker build --cache-from, docker push) and with layerwise, and compares.

  --quick      the newest engine only, small dependencies, fewer deploys
  --json FILE  write the figures as JSON as well
  --mode MODE  engines  private engines and a registry; needs root on Debian
               docker   the Docker of this machine
               layout   no engine, an OCI layout
               (default: the first of them that works)
`;

/**
 * Reads the command line. Pure.
 *
 * @throws {DemoError} if it says something unknown
 */
export function readDemoOptions(args: readonly string[]): DemoOptions {
  const { json, quick, mode, help } = parse(args);
  return { json, quick: quick === true, mode: mode === undefined ? undefined : readMode(mode), help: help === true };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        json: { type: "string" },
        quick: { type: "boolean" },
        mode: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (cause) {
    throw new DemoError(`could not read the command line: ${(cause as Error).message}\n\n${usage}`, { cause });
  }
}

const modes: readonly Mode[] = ["engines", "docker", "layout"];

function readMode(text: string): Mode {
  const mode = modes.find((one) => one === text);
  if (mode === undefined) throw new DemoError(`could not read --mode ${text}: use one of ${modes.join(", ")}`);
  return mode;
}
