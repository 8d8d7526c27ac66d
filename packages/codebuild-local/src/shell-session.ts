// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ShellProcess, startShell } from "./shell-process.ts";

/** Where commands run. */
export interface ShellOptions {
  readonly shell: "bash" | "sh";
  /** The words before the shell, as of a program that changes what it sees; none by default. */
  readonly prefix?: readonly string[] | undefined;
  readonly cwd: string;
  /** The whole environment of the first shell. */
  readonly environment: Readonly<Record<string, string>>;
  /** A folder for the session's own files. */
  readonly state: string;
  /** Receives what commands write to either stream, in its order. */
  readonly output: (bytes: Buffer) => void;
}

/** One shell that runs commands one after the other and keeps its state between them. */
export interface ShellSession {
  /** Runs a command and returns its exit code. CODEBUILD_BUILD_SUCCEEDING is set for it. */
  run(command: string, state: { readonly succeeding: boolean }): Promise<number>;
  /** The values that variables have now, exported or not; those that are not set are left out. */
  values(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Ends the shell and everything that its commands left running; also in the middle of a command. */
  end(): Promise<void>;
}

/**
 * What the shell does: it reads names of files from descriptor 8, runs each in itself, and says its exit code on 7.
 * Before it ends, for whatever reason, it leaves its folder, variables and functions for the next shell. `declare` is
 * bash's, also where bash is called sh; `set` is for all others.
 */
const script = `
exec 8<&3 3<&- 7>&1 2>&1
__cb_mark=$1 __cb_state=$2; shift 2
if [ -f "$__cb_state/left" ]; then . "$__cb_state/left" 2> /dev/null; fi
__cb_leave() {
  __cb_code=$?
  if [ -n "$BASH_VERSION" ]; then { declare -p; declare -f; } > "$__cb_state/left"
  else { set; export -p; } > "$__cb_state/left"
  fi 2> /dev/null
  pwd > "$__cb_state/folder"
  exit $__cb_code
}
trap __cb_leave EXIT
if [ -f "$__cb_state/folder" ]; then cd "$(cat "$__cb_state/folder")"; fi
while read -r CODEBUILD_BUILD_SUCCEEDING __cb_file <&8; do
  export CODEBUILD_BUILD_SUCCEEDING
  . "$__cb_file" 7>&- 8<&-
  printf '%s %s\\n' "$__cb_mark" "$?" >&7
done
`;

/** Starts a session; its shell starts with the first command. */
export function openShellSession(options: ShellOptions): ShellSession {
  const { state, environment, cwd, shell, prefix = [], output } = options;
  const mark = `codebuild-local-${randomBytes(16).toString("hex")}`;
  const shells: ShellProcess[] = [];
  let current: ShellProcess | undefined;
  let count = 0;
  let hasEnded = false;

  function start(argv: readonly string[]): ShellProcess {
    const started = startShell(argv, { cwd, environment, output, mark });
    shells.push(started);
    return started;
  }

  async function run(command: string, { succeeding }: { succeeding: boolean }): Promise<number> {
    if (hasEnded) return 1;
    const argv = [...prefix, shell, "-c", script, shell, mark, state];
    current ??= start(argv);
    count += 1;
    const file = join(state, `command-${count}`);
    await writeFile(file, `${command}\n`);
    const { code, isAlive } = await current.feed(`${succeeding ? 1 : 0} ${file}\n`);
    if (!isAlive) current = undefined;
    await rm(file, { force: true });
    return code;
  }

  return {
    run,
    async values(names) {
      if (names.length === 0) return new Map();
      const file = join(state, "values");
      const asked = names.map((name) => `[ -z "\${${name}+x}" ] || printf '%s=%s\\0' ${name} "$${name}"`);
      const code = await run(`{ ${asked.join("; ")}; } > '${file}'`, { succeeding: true });
      // The session has been ended: there is no shell that could have written it.
      if (code !== 0 && hasEnded) return new Map();
      const pairs = (await readFile(file, "utf8")).split("\0").filter((pair) => pair !== "");
      return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
    },
    async end() {
      hasEnded = true;
      // A shell that has ended itself may have left something running.
      await Promise.all(shells.map((one) => one.end()));
    },
  };
}
