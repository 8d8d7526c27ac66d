// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import type { Analysis } from "../../src/analyze/analysis.ts";
import { type GitHistory, startGitHistory } from "../git-history.ts";
import { openSite, type Site } from "./site.ts";

/** Published packages whose versions, one after the other, make a history. */
const published = {
  debug: ["4.3.0", "4.3.1", "4.3.2", "4.3.3", "4.3.4", "4.3.5", "4.3.6", "4.4.0"],
  send: ["0.17.0", "0.17.1", "0.17.2", "0.18.0", "0.19.0", "1.0.0", "1.1.0"],
  "serve-static": ["1.14.0", "1.14.1", "1.14.2", "1.15.0", "1.16.0", "1.16.2", "2.0.0"],
} as const;

const names = Object.keys(published) as (keyof typeof published)[];

describe("analyze on histories of published packages", () => {
  let site: Site;
  let base: string;
  let packages: string | undefined;
  const histories = new Map<string, GitHistory>();

  beforeAll(async () => {
    site = await openSite({ generation: 28, store: "containerd" });
    base = await tinyBase(site.registry);
    const downloads = await mkdtemp(join(tmpdir(), "layerwise-packages-"));
    packages = downloads;
    const wanted = names.flatMap((name) => published[name].map((version) => `${name}@${version}`));
    execFileSync("npm", ["pack", "--silent", "--pack-destination", downloads, ...wanted], { stdio: "ignore" });
    for (const name of names) histories.set(name, await historyOf(name, downloads));
  });
  afterAll(async () => {
    await site?.close();
    for (const history of histories.values()) history.remove();
    if (packages !== undefined) await rm(packages, { recursive: true, force: true });
  });

  /** One commit a version, each with the same Dockerfile, and one that changes nothing. The licence changes rarely. */
  async function historyOf(name: keyof typeof published, downloads: string): Promise<GitHistory> {
    const history = startGitHistory();
    const dockerfile = `FROM ${base}
COPY LICENSE /app/
RUN cat /app/LICENSE > /made
COPY . /app
`;
    for (const version of published[name]) {
      execFileSync("git", ["rm", "-r", "--quiet", "--ignore-unmatch", "."], { cwd: history.path });
      const archive = join(downloads, `${name}-${version}.tgz`);
      execFileSync("tar", ["xzf", archive, "--strip-components=1", "--no-same-owner", "-C", history.path]);
      history.commit({ Dockerfile: dockerfile, ".dockerignore": ".git\n" }, `${name} ${version}`);
    }
    history.commit({}, "nothing");
    return history;
  }

  async function analyze(history: GitHistory, ...flags: readonly string[]): Promise<Analysis> {
    const all = ["analyze", "--json", "--insecure-registry", site.registry.name, ...flags, history.path];
    const { exitCode, stdout, stderr } = await site.layerwise(all);
    expect(stderr).not.toContain("error");
    expect(exitCode).toBe(0);
    return JSON.parse(stdout.toString("utf8")) as Analysis;
  }

  it.each(names)("predicts for %s what builds of each commit do", async (name) => {
    const history = histories.get(name) as GitHistory;
    const cache = `${site.registry.name}/backtest-${name}`;

    const analysis = await analyze(history, "--backtest", "4", "--cache-repo", cache);

    expect(analysis.history.commits).toBe(published[name].length + 1);
    expect(analysis.bases).toMatchObject([{ reference: base, digest: expect.stringMatching(/^sha256:/) }]);
    expect(analysis.notes).toEqual([]);
    expect(analysis.backtest?.commits.filter(({ agrees }) => !agrees)).toEqual([]);
    expect(analysis.backtest?.agreed).toBe(4);
    const routes = analysis.backtest?.commits.map(({ actual }) => actual?.route);
    expect([routes?.at(0), routes?.at(-1)]).toEqual(["engine", "reuse"]);
    expect(routes).toContain("assemble");
  });

  it("predicts where the layer of a COPY --from is taken over", async () => {
    const history = startGitHistory();
    histories.set("stages", history);
    const dockerfile = [
      `FROM ${base} AS web`,
      "COPY page /page",
      "RUN cp /page /out",
      `FROM ${base}`,
      "COPY src /app",
      "COPY --from=web /out /app/page",
      "",
    ].join("\n");
    history.commit({ Dockerfile: dockerfile, page: "1", "src/a": "1" }, "first");
    history.commit({ "src/a": "2" }, "source");
    history.commit({ page: "2" }, "page");
    history.commit({ "src/a": "3" }, "source again");

    const { backtest } = await analyze(history, "--backtest", "4", "--cache-repo", `${site.registry.name}/stages`);

    expect(backtest?.commits.map(({ actual }) => actual?.route)).toEqual(["engine", "assemble", "engine", "assemble"]);
    expect(backtest?.agreed).toBe(4);
  });

  it("takes checkpoints into account that are there already", async () => {
    const history = histories.get("debug") as GitHistory;
    const flags = ["--backtest", "2", "--cache-repo", `${site.registry.name}/backtest-again`];
    await analyze(history, ...flags);

    const { backtest } = await analyze(history, ...flags);

    expect(backtest?.commits.map(({ actual }) => actual?.route)).toEqual(["reuse", "reuse"]);
    expect(backtest?.agreed).toBe(2);
  });

  it("writes what it found in each form, and into GitHub's summary", async () => {
    const history = histories.get("send") as GitHistory;
    const folder = await site.folder("reports");
    const path = (name: string) => join(folder, name);

    const forms = ["a.json", "a.md", "a.html"].flatMap((name) => ["--report", path(name)]);
    const env = { GITHUB_STEP_SUMMARY: path("summary.md") };
    const { exitCode, stdout } = await site.layerwise(["analyze", "--offline", ...forms, history.path], { env });

    expect(exitCode).toBe(0);
    expect(stdout.toString()).toContain("8 commits of HEAD");
    expect((await readdir(folder)).sort()).toEqual(["a.html", "a.json", "a.md", "summary.md"]);
    expect(JSON.parse(await readFile(path("a.json"), "utf8")).kind).toBe("analysis");
    expect(await readFile(path("a.html"), "utf8")).toContain("<!doctype html>");
    expect(await readFile(path("summary.md"), "utf8")).toBe(await readFile(path("a.md"), "utf8"));
    expect((await stat(path("a.html"))).size).toBeLessThan(200_000);
  });

  it("refuses a directory that is in no git repository", async () => {
    const folder = await site.folder("no-repository");

    const { exitCode, stderr } = await site.layerwise(["analyze", "--offline", folder]);

    expect(stderr).toContain("error GIT_UNREADABLE: ");
    expect(stderr).toContain("is in no git repository");
    expect(exitCode).toBe(3);
  });

  it.each([
    [["--last", "0"], "USAGE", "could not read --last 0"],
    [["--branch", "nowhere"], "REVISION_NOT_FOUND", "could not find the revision nowhere"],
    [["--durations", "/nonexistent"], "USAGE", "could not read --durations /nonexistent"],
    [["--backtest", "1"], "USAGE", "there is no repository to build into"],
    [["--file", "/etc/Dockerfile"], "USAGE", "it is not in the git repository"],
  ])("refuses %j with %s", async (flags, code, message) => {
    const history = histories.get("send") as GitHistory;

    const { exitCode, stderr } = await site.layerwise(["analyze", "--offline", ...flags, history.path]);

    expect(stderr).toContain(`error ${code}: `);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(code === "USAGE" ? 2 : 1);
  });
});
