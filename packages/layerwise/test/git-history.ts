// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A change of one file: its text, another form, or undefined to remove it. */
export type GitChange =
  | string
  | Uint8Array
  | { readonly text: string; readonly isExecutable: true }
  | { readonly target: string }
  | undefined;

/** A git repository for a test. */
export interface GitHistory {
  readonly path: string;
  /** Commits changes, by path, an hour after the commit before; gives the commit's name. */
  commit(changes: Readonly<Record<string, GitChange>>, subject?: string): string;
  /** Runs git in it and gives what it said. */
  git(...args: readonly string[]): string;
  remove(): void;
}

/** Settings of whoever runs the tests do not count. */
const settings = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };

/** Starts an empty repository with the branch main. */
export function startGitHistory(...flags: readonly string[]): GitHistory {
  const path = mkdtempSync(join(tmpdir(), "layerwise-git-"));
  let time = Date.UTC(2026, 0, 1) / 1000;

  function git(...args: readonly string[]): string {
    const person = { NAME: "A", EMAIL: "a@example.test", DATE: `${time} +0000` };
    const named = Object.entries(person).flatMap(([name, value]) => [
      [`GIT_AUTHOR_${name}`, value],
      [`GIT_COMMITTER_${name}`, value],
    ]);
    const env = { PATH: process.env["PATH"], HOME: path, ...settings, ...Object.fromEntries(named) };
    return execFileSync("git", args, { cwd: path, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  }

  git("init", "--quiet", "--initial-branch=main", ...flags);
  return {
    path,
    git,
    commit(changes, subject = "a change") {
      for (const [name, change] of Object.entries(changes)) put(join(path, name), change);
      git("add", "--all");
      time += 3600;
      git("commit", "--quiet", "--allow-empty", "--message", subject);
      return git("rev-parse", "HEAD");
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

function put(file: string, change: GitChange): void {
  rmSync(file, { recursive: true, force: true });
  if (change === undefined) return;
  mkdirSync(dirname(file), { recursive: true });
  if (typeof change === "string" || change instanceof Uint8Array) writeFileSync(file, change);
  else if ("target" in change) symlinkSync(change.target, file);
  else {
    writeFileSync(file, change.text);
    chmodSync(file, 0o755);
  }
}
