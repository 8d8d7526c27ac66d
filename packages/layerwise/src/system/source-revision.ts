// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The commit and the branch that are built, as far as they are known. */
export interface FoundRevision {
  readonly revision: string | undefined;
  readonly branch: string | undefined;
}

/**
 * Variables of CI services, since a checkout there is often on no branch. GITHUB_HEAD_REF is set in pull requests only.
 * https://docs.github.com/actions/reference/workflows-and-actions/variables
 * https://docs.gitlab.com/ci/variables/predefined_variables/
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
 */
const revisionVariables = ["GITHUB_SHA", "CI_COMMIT_SHA", "CODEBUILD_RESOLVED_SOURCE_VERSION"];
const branchVariables = ["GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "CODEBUILD_WEBHOOK_HEAD_REF"];

const commitForm = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** Finds out which revision a build context is from: what the CI service says, else the git repository around it. */
export function sourceRevision(context: string, env: Readonly<Record<string, string | undefined>>): FoundRevision {
  const said = revisionVariables
    .map((name) => env[name])
    .find((value) => value !== undefined && commitForm.test(value));
  const onBranch = branchVariables.map((name) => env[name]).find((value) => value !== undefined && value !== "");
  const head = said === undefined || onBranch === undefined ? headAbove(context) : undefined;
  return { revision: said ?? head?.revision, branch: onBranch?.replace(/^refs\/heads\//, "") ?? head?.branch };
}

/** https://git-scm.com/docs/gitrepository-layout */
function headAbove(context: string): FoundRevision | undefined {
  for (let folder = resolve(context); ; folder = dirname(folder)) {
    const git = gitFolder(join(folder, ".git"));
    if (git !== undefined) return readHead(git);
    if (dirname(folder) === folder) return undefined;
  }
}

/** Of work trees and submodules `.git` is a file that says where the folder is. */
function gitFolder(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return path;
  const named = stats?.isFile() === true ? /^gitdir: (.+)$/m.exec(textAt(path) ?? "")?.[1] : undefined;
  return named === undefined ? undefined : resolve(dirname(path), named);
}

function readHead(git: string): FoundRevision {
  const head = (textAt(join(git, "HEAD")) ?? "").trim();
  const reference = /^ref: (.+)$/.exec(head)?.[1];
  if (reference === undefined) return { revision: commitForm.test(head) ? head : undefined, branch: undefined };
  const common = resolve(git, (textAt(join(git, "commondir")) ?? ".").trim());
  const loose = (textAt(join(git, reference)) ?? textAt(join(common, reference)) ?? "").trim();
  const packed = (textAt(join(common, "packed-refs")) ?? "")
    .split("\n")
    .find((line) => line.endsWith(` ${reference}`))
    ?.split(" ")[0];
  const revision = [loose, packed].find((text) => text !== undefined && commitForm.test(text));
  return { revision, branch: reference.replace(/^refs\/heads\//, "") };
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
