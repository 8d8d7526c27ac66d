// SPDX-License-Identifier: Apache-2.0
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** A program of `test/programs` that runs in a process of its own. */
export interface Program {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  /** The next line it writes; fails if it ends instead. */
  line(): Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** What a program starts with. */
export interface ProgramOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A command line that runs it. */
  readonly through?: readonly string[];
}

/** Bundles a program, since Node 20 cannot load TypeScript, and starts it. */
export async function startProgram(name: string, options: ProgramOptions = {}): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), "layerwise-lab-program-"));
  await chmod(folder, 0o755); // For programs that run as another user.
  const outfile = join(folder, "program.mjs");
  const entry = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  const [command = "", ...rest] = [...(options.through ?? []), process.execPath, outfile, ...(options.args ?? [])];
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...options.env } });
  const ended = new Promise<Awaited<Program["ended"]>>((resolve) => {
    child.once("exit", async (code, signal) => {
      await rm(folder, { recursive: true });
      resolve({ code, signal });
    });
  });
  const lines = linesOf(child.stdout);
  const line = async () => {
    const next = await lines.next();
    if (next.done) throw new Error(`${name} ended without writing a line`);
    return next.value;
  };
  return { process: child, line, ended };
}

async function* linesOf(stream: Readable): AsyncGenerator<string, undefined> {
  let text = "";
  for await (const chunk of stream) {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}
