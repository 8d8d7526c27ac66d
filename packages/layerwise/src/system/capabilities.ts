// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CallOptions, ContextEntry } from "../ports.ts";
import { runProcess } from "./process.ts";

/** Where Linux distributions put the program that shows file capabilities; Node itself cannot read them. */
const programs: readonly string[] = ["/usr/sbin/getcap", "/sbin/getcap", "/usr/bin/getcap"];

/** Paths for one call; argument lists are limited. */
const pathsAtOnce = 2000;

/**
 * The capabilities of the executable files that carry any, by path. Only programs can have any that count, so others are not
 * asked for. Without `getcap` none are seen; docs/cache-key.md says so.
 */
export async function capableFiles(
  root: string,
  { files, signal }: { files: readonly ContextEntry[] } & CallOptions,
): Promise<ReadonlyMap<string, string>> {
  const executables = files.filter((file) => (file.mode & 0o111) !== 0);
  const program = programs.find((path) => existsSync(path));
  const capable = new Map<string, string>();
  if (program === undefined) return capable;
  for (let at = 0; at < executables.length; at += pathsAtOnce) {
    const batch = executables.slice(at, at + pathsAtOnce);
    const byPath = new Map(batch.map((file) => [join(root, file.path), file.path]));
    const { stdout } = await runProcess(program, [...byPath.keys()], { signal });
    for (const line of stdout.toString("utf8").split("\n")) {
      for (const [full, path] of byPath)
        if (line.startsWith(`${full} `)) capable.set(path, line.slice(full.length + 1));
    }
  }
  return capable;
}
