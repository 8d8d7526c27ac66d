// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { constants as system } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { LayerwiseError } from "../error.ts";

/** Set where an engine's client is started: a stand-in that finds it there is its own engine, and says so. */
export const insideEngine = "LAYERWISE_INSIDE_ENGINE";

/** The programs of a name on PATH, in their order, without those that are this program under another name. */
export function programsOnPath(path: string, name: string): readonly string[] {
  const programs = path
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name));
  return [...new Set(programs)].filter((program) => isExecutable(program) && !isOurs(program));
}

/**
 * Runs a program in the place of this one: on the same terminal, in the same process group. Gives its exit code, or what
 * a shell makes of the signal that ended it.
 */
export async function handOver(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const child = spawn(program, args, { env: { ...env, [insideEngine]: "1" }, stdio: "inherit" });
  return await new Promise((resolve, reject) => {
    child.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        new LayerwiseError("ENGINE_UNSUPPORTED", `could not start ${program}: ${cause.code ?? cause.message}`, {
          cause,
          hint: "put another docker first on PATH",
        }),
      ),
    );
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : system.signals[signal])));
  });
}

function isExecutable(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Someone may have put the stand-in on PATH as `docker`. */
function isOurs(program: string): boolean {
  const [, own] = process.argv;
  if (own === undefined) return false;
  try {
    return dirname(realpathSync(program)) === dirname(realpathSync(own));
  } catch {
    return false;
  }
}
