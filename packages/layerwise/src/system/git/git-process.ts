// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import type { CallOptions } from "../../ports.ts";
import { type ProcessEnd, runProcess } from "../process.ts";
import type { GitPlace } from "./git-place.ts";

/**
 * git as a program that only reads: it writes no lock, asks nobody for a password, and fetches nothing that a partial
 * clone lacks. https://git-scm.com/docs/git#_environment_variables
 */
export function gitEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return { ...env, LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", GIT_NO_LAZY_FETCH: "1" };
}

/**
 * Runs git to its end and gives what it wrote.
 *
 * @throws GIT_UNREADABLE with git's own words if it fails
 */
export async function runGit(
  { directory, env }: GitPlace,
  { args, what, signal }: { args: readonly string[]; what: string } & CallOptions,
): Promise<Buffer> {
  const { end, stdout } = await runProcess("git", args, { cwd: directory, env: gitEnvironment(env), signal });
  if (end.kind === "exited" && end.exitCode === 0) return stdout;
  throw gitFailure(end, { what, directory });
}

/** An error for a git that ended otherwise than it should. */
export function gitFailure(end: ProcessEnd, { what, directory }: { what: string; directory: string }): LayerwiseError {
  const { why, hint } = reasonOf(end, directory);
  return new LayerwiseError("GIT_UNREADABLE", `could not ${what}: ${why}`, { hint });
}

function reasonOf(end: ProcessEnd, directory: string): { why: string; hint: string } {
  if (end.kind === "not-started") {
    return end.reason === "ENOENT"
      ? { why: "there is no git on PATH", hint: "install git" }
      : { why: `git could not be started: ${end.reason}`, hint: "check git on PATH" };
  }
  const said = end.errorTail.replace(/^fatal: /, "").trim();
  if (/not a git repository/i.test(said)) {
    return { why: `${directory} is in no git repository`, hint: "give a directory of a clone, with its .git" };
  }
  if (/dubious ownership/i.test(said)) {
    return {
      why: `${directory} belongs to another user, and git refuses it`,
      hint: `allow it with: git config --global --add safe.directory ${directory}`,
    };
  }
  const how = end.kind === "killed" ? `git was ended by ${end.signal}` : "git ended without an answer";
  const why = said === "" ? how : said.split("\n")[0];
  return { why: why as string, hint: "check the repository with git fsck" };
}
