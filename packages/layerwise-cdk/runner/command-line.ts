// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** The files of the command line: gzip of JSON, name to content, in base64. Put in by the bundler. */
declare const LAYERWISE_CLI: string;

/** What a run of the command line may be given. */
export interface CommandOptions {
  /** In addition to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a run ended. */
export interface CommandOutcome {
  readonly exitCode: number;
  /** The stable name of the error; undefined for success, and for a crash. */
  readonly error: string | undefined;
}

/** The command line of layerwise, unpacked. */
export interface CommandLine {
  /** Everything that is unpacked, and a place for files of this run; removed by the caller. */
  readonly folder: string;
  /** Runs it with the streams of this process; gives the exit code. */
  run(args: readonly string[]): Promise<number>;
  /** Runs it, shows what it says, and finds the error's name. */
  call(args: readonly string[], options?: CommandOptions): Promise<CommandOutcome>;
}

/** Unpacks the command line into a temporary folder. */
export async function openCommandLine(): Promise<CommandLine> {
  const folder = await mkdtemp(join(tmpdir(), "layerwise-build-"));
  const files = JSON.parse(gunzipSync(Buffer.from(LAYERWISE_CLI, "base64")).toString("utf8")) as Record<string, string>;
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  // The files are modules, and there is no package.json beside them otherwise.
  await writeFile(join(folder, "package.json"), '{"type":"module"}\n');
  const program = join(folder, "layerwise.js");

  function start(args: readonly string[], { env = {} }: CommandOptions, stderr: "inherit" | "pipe") {
    const stdio = ["ignore", "inherit", stderr] as const;
    return spawn(process.execPath, [program, ...args], { stdio: [...stdio], env: { ...process.env, ...env } });
  }

  return {
    folder,
    run: async (args) => endOf(start(args, {}, "inherit")),
    call: async (args, options = {}) => {
      const child = start(args, options, "pipe");
      let error: string | undefined;
      let rest = "";
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        process.stderr.write(text);
        const lines = `${rest}${text}`.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) error = errorForm.exec(line)?.[1] ?? error;
      });
      const exitCode = await endOf(child);
      return { exitCode, error: exitCode === 0 ? undefined : error };
    },
  };
}

/** The first line of a printed error. */
const errorForm = /^error ([A-Z_]+): /;

function endOf(child: ReturnType<typeof spawn>): Promise<number> {
  const stop = () => child.kill("SIGTERM");
  process.once("SIGTERM", stop).once("SIGINT", stop);
  return new Promise((resolve, reject) => {
    child.once("error", reject).once("close", (code) => {
      process.off("SIGTERM", stop).off("SIGINT", stop);
      resolve(code ?? 130);
    });
  });
}
