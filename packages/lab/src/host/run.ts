// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { LabError } from "./lab-error.ts";
import { hostEnvironment } from "./lab-home.ts";

/** How to run a program. */
export interface RunOptions {
  readonly cwd?: string | undefined;
  /** The whole environment; without it, this machine's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** What the program reads; nothing by default. */
  readonly stdin?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; ten minutes by default, since unpacking an engine from a slow mirror takes some. */
  readonly timeout?: number | undefined;
  /** Return an exit code other than 0 instead of throwing. */
  readonly allowFailure?: boolean | undefined;
}

/** What a program left behind. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const defaultTimeout = 600_000;
/** Characters of a failed program's output that its error quotes; the end says why. */
const quotedOutput = 4_000;

/**
 * Runs a program to its end.
 *
 * @throws {LabError} if it cannot start, fails, takes too long or is aborted
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Output> {
  const [program = "", ...args] = argv;
  const limit = AbortSignal.timeout(options.timeout ?? defaultTimeout);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  const child = spawn(program, args, { cwd: options.cwd, env: options.env ?? hostEnvironment(), signal });
  child.stdin.on("error", () => {}); // A program need not read all that it is given.
  child.stdin.end(options.stdin ?? "");
  const [stdout, stderr, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), endOf(child, argv)]);
  if (code !== 0 && !options.allowFailure) {
    const said = (stderr.trim() || stdout.trim()).slice(-quotedOutput);
    throw new LabError(`could not run ${shown(argv)}: exit code ${code}\n${said}`);
  }
  return { code, stdout, stderr };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function endOf(child: ChildProcess, argv: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => reject(new LabError(`could not run ${shown(argv)}: ${cause.message}`, { cause })));
    // 128 + n is how a shell reports signal n; which one it was helps nobody here.
    child.once("close", (code) => resolve(code ?? 128));
  });
}

/** Long scripts would bury the reason. */
function shown(argv: readonly string[]): string {
  return argv.map((word) => (word.length > 80 || word.includes("\n") ? "…" : word)).join(" ");
}
