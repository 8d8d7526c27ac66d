// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from "vitest";
import type { Analysis, Row, Variant } from "../../src/analyze/analysis.ts";
import { type AnalyzeOptions, analyzeHistory } from "../../src/analyze.ts";
import { openGitRepository } from "../../src/system/git/git-repository.ts";
import { amd64 } from "../draft.ts";
import { type GitChange, type GitHistory, startGitHistory } from "../git-history.ts";
import { openTestRepositories } from "../open-repositories.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A history of these changes, oldest first. */
function history(...changes: readonly Readonly<Record<string, GitChange>>[]): GitHistory {
  const made = startGitHistory();
  cleanups.push(made.remove);
  for (const [index, change] of changes.entries()) made.commit(change, `commit ${index}`);
  return made;
}

async function analyze(
  { path }: GitHistory,
  options: Partial<AnalyzeOptions> & { readonly folder?: string } = {},
): Promise<Analysis> {
  const revisions = await openGitRepository({ directory: path, env: process.env });
  cleanups.push(async () => await revisions.close());
  const { folder = "" } = options;
  return await analyzeHistory(
    {
      revisions,
      branch: "main",
      last: 100,
      place: { directory: folder, dockerfile: folder === "" ? "Dockerfile" : `${folder}/Dockerfile` },
      target: undefined,
      buildArgs: new Map(),
      buildPlatform: amd64,
      targetPlatform: amd64,
      runOptions: [],
      named: new Map(),
      offline: true,
      checkpoints: "all",
      keepFor: undefined,
      hasGitDirectory: false,
      umask: undefined,
      reports: [],
      buildsPerMonth: undefined,
      pricePerMinute: undefined,
      proposals: [],
      version: "1",
      ...options,
    },
    { repositories: await openTestRepositories(), emit: () => undefined },
  );
}

/** The variant in which each commit has its own files. */
function asItWas({ variants }: Analysis): Variant {
  return variants[0] as Variant;
}

const routesOf = ({ commits }: Variant) => commits.map(({ route, kind }) => route ?? kind);

/** What each commit made, by line, and why. */
function madeIn({ rows, commits }: Variant): readonly string[] {
  return commits.map(({ steps }) =>
    steps
      .filter(({ state }) => state === "made")
      .map(({ row, cause }) => `${rows[row]?.line} ${cause}`)
      .join(", "),
  );
}

const rowAt = ({ rows }: Variant, line: number) => rows.find((row) => row.line === line) as Row;

const usual = `FROM base:1
COPY requirements.txt .
RUN install -r requirements.txt
COPY src /src
`;

describe("an analysis", () => {
  it("says for each commit what its build would have made, and why", async () => {
    const made = history(
      { Dockerfile: usual, "requirements.txt": "a", "src/app.py": "1" },
      { "src/app.py": "2" },
      { README: "not in the image" },
      { "requirements.txt": "b" },
      { Dockerfile: usual.replace("RUN install", "RUN install --fast") },
      { Dockerfile: usual.replace("base:1", "base:2").replace("RUN install", "RUN install --fast") },
      { "src/new.py": "1", "src/app.py": { text: "2", isExecutable: true } },
    );

    const result = asItWas(await analyze(made));

    expect(routesOf(result)).toEqual(["engine", "assemble", "reuse", "engine", "engine", "engine", "assemble"]);
    expect(madeIn(result)).toEqual([
      "2 first, 3 first, 4 first",
      "4 files",
      "",
      "2 files, 3 parent, 4 parent",
      "2 between, 3 instruction, 4 parent",
      "2 base, 3 parent, 4 parent",
      "4 files",
    ]);
    expect(result.commits[6]?.steps[2]?.files).toEqual({ count: 2, names: ["src/app.py", "src/new.py"] });
    expect(rowAt(result, 4)).toMatchObject({ commits: 7, made: 5, own: 2, followed: 3 });
    expect(result.summary).toMatchObject({ builds: 6, routes: { reuse: 1, assemble: 2, engine: 3 } });
  });

  it("knows that a revert finds what was made before", async () => {
    const files = { Dockerfile: usual, "requirements.txt": "a", "src/app.py": "1" };
    const made = history(files, { "requirements.txt": "b" }, { "requirements.txt": "a" });

    expect(routesOf(asItWas(await analyze(made)))).toEqual(["engine", "engine", "reuse"]);
  });

  it("counts checkpoints as gone when the registry keeps them no longer", async () => {
    const made = history(
      { Dockerfile: usual, "requirements.txt": "a", "src/app.py": "1" },
      { "src/app.py": "2" },
      { "src/app.py": "3" },
      { "src/app.py": "4" },
    );

    // One commit an hour.
    const kept = await analyze(made, { keepFor: 2 * 3_600_000 });

    expect(routesOf(asItWas(kept))).toEqual(["engine", "assemble", "assemble", "engine"]);
  });

  it("sees only what another stage's result changes", async () => {
    const stages = `FROM base AS build
COPY lib /lib
RUN make
FROM base
COPY src /src
COPY --from=build /out /out
`;
    const made = history(
      { Dockerfile: stages, "lib/a": "1", "src/a": "1" },
      { "src/a": "2" },
      { "lib/a": "2" },
      { "lib/a": "1", "src/a": "3" },
    );

    const result = asItWas(await analyze(made));

    // What was copied from a stage that is there already, now or once, is taken over.
    expect(routesOf(result)).toEqual(["engine", "assemble", "engine", "assemble"]);
    expect(madeIn(result)).toEqual([
      "2 first, 3 first, 5 first, 6 first",
      "5 files",
      "2 files, 3 parent, 5 between, 6 source",
      "5 files",
    ]);
  });

  it("follows a Dockerfile and its context to where they were", async () => {
    const text = "FROM base\nRUN one\nRUN two\nCOPY src /src\n";
    const made = history(
      { "old/Dockerfile": text, "old/src/a": "1" },
      { "old/src/a": "2" },
      { "old/Dockerfile": undefined, "old/src/a": undefined, "app/Dockerfile": `${text}# new\n`, "app/src/a": "2" },
      { "app/src/a": "3" },
    );

    const result = asItWas(await analyze(made, { folder: "app" }));

    expect(routesOf(result)).toEqual(["engine", "assemble", "reuse", "assemble"]);
  });

  it("counts commits without a Dockerfile, and those whose build would fail", async () => {
    const made = history(
      { README: "1" },
      { Dockerfile: usual, "requirements.txt": "a", "src/app.py": "1" },
      { "requirements.txt": undefined },
      { Dockerfile: "FORM base\n" },
      { Dockerfile: usual, "requirements.txt": "a" },
    );

    const result = asItWas(await analyze(made));

    expect(routesOf(result)).toEqual(["absent", "engine", "failed", "failed", "reuse"]);
    expect(result.summary).toMatchObject({ absent: 1, failed: 2, builds: 1 });
    expect(result.commits[2]?.why).toContain('could not find "requirements.txt"');
    expect(result.commits[3]?.why).toContain("FORM");
  });

  it("leaves a Dockerfile of another front end to the engine as a whole", async () => {
    const made = history({ Dockerfile: "# syntax=example.test/other:1\nFROM base\n" });

    const [commit] = asItWas(await analyze(made)).commits;

    expect(commit).toMatchObject({
      kind: "whole",
      route: "engine",
      why: expect.stringContaining("example.test/other"),
    });
  });

  it("refuses a history that never had the Dockerfile", async () => {
    const made = history({ README: "1" });

    await expect(analyze(made)).rejects.toMatchObject({
      code: "DOCKERFILE_NOT_FOUND",
      message: expect.stringContaining("none of the last 1 commits of main has it"),
    });
  });

  it("tries other files on the same commits, beside those of today", async () => {
    const bad = "FROM base\nCOPY . /app\nRUN install -r /app/requirements.txt\n";
    const good = "FROM base\nCOPY requirements.txt /app/\nRUN install -r /app/requirements.txt\nCOPY . /app\n";
    const made = history(
      { old: "1", Dockerfile: bad },
      { Dockerfile: bad, ".dockerignore": "Dockerfile\n", "requirements.txt": "a", "src/a": "1" },
      { "src/a": "2" },
      { "src/a": "3" },
      { "requirements.txt": "b" },
    );
    const proposals = [{ name: "Dockerfile.new", dockerfile: good, ignoreFile: undefined }];

    const { variants } = await analyze(made, { proposals });

    expect(variants.map(({ name, kind }) => [name, kind])).toEqual([
      ["as it was", "as-it-was"],
      ["today's files", "fixed"],
      ["Dockerfile.new", "fixed"],
    ]);
    // The first commit has no requirements.txt, so that only the others can be compared.
    expect(variants.slice(1).map(routesOf)).toEqual([
      ["engine", "engine", "engine", "engine"],
      ["engine", "assemble", "assemble", "engine"],
    ]);
    expect(variants.map(({ summary }) => summary.cost)).toEqual([44, 33, 14]);
  });

  it("looks at what a shallow clone has, and says that there was more", async () => {
    const made = history(
      { Dockerfile: usual, "requirements.txt": "a", "src/app.py": "1" },
      { "src/app.py": "2" },
      { "src/app.py": "3" },
    );
    const clone = startGitHistory();
    cleanups.push(clone.remove);
    clone.git("fetch", "--quiet", "--depth", "2", `file://${made.path}`, "main:main", "--update-head-ok");

    const { history: looked, variants } = await analyze(clone);

    expect(looked).toMatchObject({ commits: 2, end: "shallow" });
    expect(variants.map(routesOf)).toEqual([["engine", "assemble"]]);
  });

  it("takes what steps cost from reports of builds", async () => {
    const made = history(
      { Dockerfile: usual, "requirements.txt": "a", "src/app.py": "1" },
      { "src/app.py": "2" },
      { "requirements.txt": "b" },
    );
    const step = (instruction: string, seconds: number) => ({ instruction, seconds, state: "made", why: "" }) as const;
    const reports = [
      {
        route: "engine",
        steps: [step("RUN install -r requirements.txt", 60), step("COPY src /src", 1), step("COPY other .", 3)],
        seconds: { total: 74 },
      },
      { route: "assemble", steps: [step("COPY src /src", 2)], seconds: { total: 2.5 } },
    ] as const;

    const { costs, variants } = await analyze(made, { reports, buildsPerMonth: 60, pricePerMinute: 0.5 });
    const [result] = variants as readonly [Variant];

    expect(costs).toMatchObject({ unit: "seconds", reports: 2, rate: "option" });
    expect(result.rows.map(({ cost }) => [cost.value, cost.from])).toEqual([
      // No report has it: the mean of the other COPYs.
      [2, "kind"],
      [60, "measured"],
      [1.5, "measured"],
    ]);
    // COPY and 0.5 s beside it; then all three and 10 s.
    expect(result.summary.cost).toBeCloseTo(2 + 73.5);
    expect(result.summary.minutesPerMonth).toBeCloseTo((75.5 / 2) * 1);
    expect(result.summary.pricePerMonth).toBeCloseTo(75.5 / 4);
  });

  it("says where a branch's pace cannot be told, and that no image was looked up", async () => {
    const made = history({ Dockerfile: usual, "requirements.txt": "a", "src/app.py": "1" }, { "src/app.py": "2" });

    const { costs, bases, history: looked } = await analyze(made);

    expect(costs).toMatchObject({ unit: "weight", buildsPerMonth: undefined, rate: undefined });
    expect(bases).toEqual([
      { reference: "base:1", platform: "linux/amd64", digest: undefined, why: "no registry was asked" },
    ]);
    expect(looked).toMatchObject({ commits: 2, end: "root" });
  });

  it("notes what git's objects do not tell, and in how many commits", async () => {
    const all = "FROM base\nCOPY . /app\n";
    const made = history({ Dockerfile: all }, { a: "1" }, { ".dockerignore": ".git\n" });

    const result = await analyze(made, { hasGitDirectory: undefined });

    expect(result.notes).toMatchObject([{ kind: "git-directory", path: ".git", commits: 2 }]);
  });
});
