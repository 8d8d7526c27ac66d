// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

/** A program of `test/programs`, bundled, that can be run any number of times. */
export interface Program {
  /** Runs it in a process of its own; gives back what it writes. */
  run(...args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/** Bundles a program as the published CLI is bundled: modules with code splitting, CommonJS packages inside. */
export async function bundleProgram(name: string): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), "layerwise-program-"));
  await build({
    entryPoints: [fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url))],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  return {
    run: async (...args) =>
      (await promisify(execFile)(process.execPath, [join(folder, `${name}.mjs`), ...args])).stdout,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
