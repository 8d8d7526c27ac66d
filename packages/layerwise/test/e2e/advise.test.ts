// SPDX-License-Identifier: Apache-2.0
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import type { Analysis } from "../../src/analyze/analysis.ts";
import { startGitHistory } from "../git-history.ts";
import { openSite } from "./site.ts";

const site = await openSite(undefined);
afterAll(async () => await site.close());
const dockerfile = "FROM scratch\nCOPY . /app/\n";

/** An application that was built into a layout once, and whose log has changed since. */
async function changedLog(name: string) {
  const folder = await site.context(name, { Dockerfile: dockerfile, "src/a": "1", "debug.log": "1" });
  const layout = join(site.work, `${name}-out`);
  const { exitCode } = await site.layerwise(["build", "--output", `type=oci,dest=${layout}`, folder]);
  expect(exitCode).toBe(0);
  await site.context(name, { "debug.log": "2" });
  const at = ["--cache-repo", `oci-layout:${layout}`, folder];
  const run = async (command: string, ...flags: string[]) => {
    const { stdout, stderr, exitCode: code } = await site.layerwise([command, ...flags, ...at]);
    return { stdout: stdout.toString("utf8"), stderr, exitCode: code };
  };
  const ignoreFile = async () => await readFile(join(folder, ".dockerignore"), "utf8").catch(() => undefined);
  return { folder, run, ignoreFile };
}

const diff = /^--- a\/.*\.dockerignore\n\+\+\+ b\/.*\.dockerignore\n@@ -0,0 \+1,1 @@\n\+\*\*\/\*\.log\n/m;

describe("explain", () => {
  it("gives advice with what was seen, what it cost, a diff, and what it cannot know", async () => {
    const { run } = await changedLog("advice");

    const { stdout } = await run("explain");
    const { stdout: json } = await run("explain", "--json");

    expect(stdout).toContain("advice for line 2 [ignore-noise]");
    for (const head of ["seen", "cost", "advice", "unknown"])
      expect(stdout).toMatch(new RegExp(`^  ${head} +\\S`, "m"));
    const [advice] = JSON.parse(json).advice;
    expect(advice).toMatchObject({ rule: "ignore-noise", line: 2, isSafe: true, cost: { steps: 1 } });
    expect(advice.diff).toMatch(diff);
  });
});

describe("fix", () => {
  it("shows the diff and changes nothing in a dry run, nor where nobody can be asked", async () => {
    const { run, ignoreFile } = await changedLog("dry");

    const dry = await run("fix", "--dry-run");
    const asked = await run("fix");

    expect(dry.stdout).toMatch(diff);
    expect(dry.exitCode).toBe(0);
    expect(asked.stdout).toMatch(diff);
    expect(asked.stderr).toMatch(/^error USAGE: could not ask whether to change the files/);
    expect(asked.exitCode).toBe(2);
    expect(await ignoreFile()).toBeUndefined();
  });

  it("changes the ignore file, and then has nothing left to do", async () => {
    const { run, ignoreFile } = await changedLog("applied");

    const first = await run("fix", "--yes");
    const second = await run("fix", "--yes");
    const { stdout } = await run("explain");

    expect(first.stdout).toMatch(diff);
    expect(await ignoreFile()).toBe("**/*.log\n");
    expect(second.stdout).toMatch(/^there is no advice that can be applied/);
    expect(stdout).toContain("the ignore file changed what is selected");
  });
});

describe("explain --from --to", () => {
  it("compares two revisions without a checkout", async () => {
    const history = startGitHistory();
    onTestFinished(() => history.remove());
    const folder = history.path;
    const files = { Dockerfile: dockerfile, ".dockerignore": ".git\n", "src/a": "1" };
    history.commit(files);
    history.commit({ "src/a": "22", "src/b": "1" });
    // What lies in the working tree does not count, not even the Dockerfile.
    await rm(join(folder, "Dockerfile"));
    await writeFile(join(folder, "src/a"), "dirty");
    const env = { PATH: "/usr/bin:/bin" };
    const explain = async (...args: string[]) => await site.layerwise(["explain", ...args, folder], { env });

    const { stdout, stderr, exitCode } = await explain("--from", "HEAD~1", "--to", "HEAD");
    const missing = await explain("--from", "nowhere");
    const alone = await explain("--to", "HEAD");
    const other = await explain("--from", "HEAD~1", "-f", join(folder, "Other"));

    expect([stderr, exitCode]).toEqual(["", 0]);
    expect(stdout.toString("utf8")).toContain("src/a changed, and 1 more file");
    expect(stdout.toString("utf8")).toContain("src/a (2 bytes)");
    expect(missing.stderr).toMatch(/^error REVISION_NOT_FOUND: could not find the revision nowhere/);
    expect(alone.stderr).toMatch(/^error USAGE: could not explain --to alone/);
    expect(other.stderr).toMatch(/^error DOCKERFILE_NOT_FOUND/);
  });

  it("follows a Dockerfile that was renamed, with its build context, in between", async () => {
    const history = startGitHistory();
    onTestFinished(() => history.remove());
    history.commit({ "old/Dockerfile": "FROM scratch\nCOPY a /a\n", "old/a": "1" });
    history.git("mv", "old", "new");
    history.commit({});
    history.commit({ "new/a": "22" });
    const env = { PATH: "/usr/bin:/bin" };

    const { stdout, stderr } = await site.layerwise(["explain", "--from", "HEAD~2", join(history.path, "new")], {
      env,
    });

    expect(stderr).toBe("");
    expect(stdout.toString("utf8")).toContain("a changed");
  });

  it("takes base images as the lock file has them", async () => {
    const history = startGitHistory();
    onTestFinished(() => history.remove());
    const base = `${site.registry.name}/never-pushed:1`;
    history.commit({ Dockerfile: `FROM ${base}\nCOPY a /a\n`, a: "1" });
    history.commit({ a: "2" });
    const lock = join(history.path, "empty.lock");
    await writeFile(lock, JSON.stringify({ version: 1, bases: {} }));

    const { stderr } = await site.layerwise(
      ["explain", "--from", "HEAD~1", "--lock-file", lock, "--insecure-registry", site.registry.name, history.path],
      { env: { PATH: "/usr/bin:/bin" } },
    );

    expect(stderr).toMatch(/^error LOCK_OUT_OF_DATE: /);
    expect(stderr).toContain(base);
  });
});

describe("analyze --what-if-advice", () => {
  it("tries what explain advises on the same history", async () => {
    const history = startGitHistory();
    onTestFinished(() => history.remove());
    // Nobody may ask for it: the analysis is offline.
    const text = dockerfile.replace("scratch", `${site.registry.name}/never-pushed:1`);
    const files = { "app/Dockerfile": text, "app/src/a": "1", "app/debug.log": "0" };
    history.commit(files);
    for (const index of [1, 2, 3]) history.commit({ "app/debug.log": String(index) });
    const app = join(history.path, "app");
    const env = { PATH: "/usr/bin:/bin" };
    const analyze = async (...flags: string[]) =>
      await site.layerwise(["analyze", "--offline", "--json", ...flags, app], { env });

    const advised = await analyze("--what-if-advice");
    history.commit({ "app/src/a": "2" });
    history.commit({ "app/.dockerignore": "**/*.log\n" });
    const applied = await analyze("--what-if-advice");

    expect(advised.stderr).toBe("");
    const { variants } = JSON.parse(advised.stdout.toString("utf8")) as Analysis;
    const made = variants.map(({ name, rows }) => [name, rows.reduce((sum, row) => sum + row.made, 0)]);
    expect(made).toEqual([
      ["as it was", 3],
      ["today's files", 3],
      ["ignore-noise (line 2)", 0],
    ]);
    expect(applied.stderr).toBe("advice     none for the newest commits\n");
    expect(JSON.parse(applied.stdout.toString("utf8")).variants).toHaveLength(1);
  });
});
