// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { sourceRevision } from "../../src/system/source-revision.ts";
import { startGitHistory } from "../git-history.ts";
import { temporaryFolder } from "../open-repositories.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";

describe("the revision of a build context", () => {
  it("is what git's HEAD says, from a folder inside, packed or not, on a branch or on none", () => {
    const history = startGitHistory();
    onTestFinished(() => history.remove());
    const first = history.commit({ a: "1" });
    mkdirSync(join(history.path, "inside"));

    expect(sourceRevision(join(history.path, "inside"), {})).toEqual({ revision: first, branch: "main" });
    history.git("pack-refs", "--all");
    expect(sourceRevision(history.path, {})).toEqual({ revision: first, branch: "main" });
    history.git("checkout", "--quiet", "--detach");
    expect(sourceRevision(history.path, {})).toEqual({ revision: first, branch: undefined });
    history.git("worktree", "add", "--quiet", "-b", "other/branch", "tree");
    expect(sourceRevision(join(history.path, "tree"), {})).toEqual({ revision: first, branch: "other/branch" });
  });

  it("is what the CI service says first", () => {
    const github = { GITHUB_SHA: commit, GITHUB_HEAD_REF: "feature", GITHUB_REF_NAME: "12/merge" };
    const codebuild = { CODEBUILD_RESOLVED_SOURCE_VERSION: commit, CODEBUILD_WEBHOOK_HEAD_REF: "refs/heads/main" };

    expect(sourceRevision("/", github)).toEqual({ revision: commit, branch: "feature" });
    expect(sourceRevision("/", { CI_COMMIT_SHA: commit, CI_COMMIT_REF_NAME: "b" })).toEqual({
      revision: commit,
      branch: "b",
    });
    expect(sourceRevision("/", codebuild)).toEqual({ revision: commit, branch: "main" });
    expect(sourceRevision("/", { GITHUB_SHA: "not a commit" })).toEqual({ revision: undefined, branch: undefined });
  });

  it("is not known outside of a repository", async () => {
    expect(sourceRevision(await temporaryFolder(), {})).toEqual({ revision: undefined, branch: undefined });
  });
});
