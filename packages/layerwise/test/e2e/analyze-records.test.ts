// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import type { Analysis } from "../../src/analyze/analysis.ts";
import { type BuildRecord, recordTag } from "../../src/spec/build-record.ts";
import type { Digest } from "../../src/spec/digest.ts";
import { decodeManifest, encodeManifest } from "../../src/spec/manifest.ts";
import { decodeRecordManifest, encodeBuildRecord } from "../../src/spec/record-document.ts";
import { type GitHistory, startGitHistory } from "../git-history.ts";
import { openSite, type Site } from "./site.ts";

const manifestType = "application/vnd.oci.image.manifest.v1+json";

describe("analyze beside the records of builds", () => {
  let site: Site;
  let base: string;
  let history: GitHistory;
  /** Names of commits by their subject. */
  const commits = new Map<string, string>();
  const images = new Map<string, Digest>();
  let repository: string;

  beforeAll(async () => {
    site = await openSite({ generation: 28, store: "containerd" });
    base = await tinyBase(site.registry);
    repository = `${site.registry.name}/recorded`;
    history = startGitHistory();
    const commit = (subject: string, changes: Parameters<GitHistory["commit"]>[0]) => {
      commits.set(subject, history.commit(changes, subject));
    };
    const files = { Dockerfile: dockerfile("1"), ".dockerignore": ".git\n*.md\n", "deps.txt": "a\n", "src/app": "1\n" };
    commit("first", files);
    commit("source", { "src/app": "2\n" });
    commit("dependencies", { "deps.txt": "a\nb\n" });
    commit("source and a file", { "src/app": "3\n", "src/more": "1\n" });
    commit("text", { "notes.md": "nothing that is built\n" });
    commit("mode", { "src/more": { text: "1\n", isExecutable: true } });
    commit("back", { "src/app": "2\n", "src/more": undefined });
    commit("label", { Dockerfile: dockerfile("2") });
    commit("last", { "src/app": "4\n" });
    history.git("clone", "--quiet", history.path, checkout());
    for (const [subject, id] of commits) images.set(subject, await build(id));
  });
  afterAll(async () => {
    await site?.close();
    history?.remove();
  });

  function dockerfile(label: string): string {
    return `FROM ${base} AS dependencies
COPY deps.txt /
RUN cat /deps.txt > /made
FROM ${base}
COPY --from=dependencies /made /made
RUN cat /made > /again
LABEL version=${label}
COPY src /src
`;
  }

  /** Where the engine sees it. */
  function checkout(): string {
    return join(site.work, "checkout");
  }

  /** Builds a commit as CI does, from a checkout; with these files in the place of those that git has. */
  async function build(id: string, files: Readonly<Record<string, string>> = {}): Promise<Digest> {
    history.git("-C", checkout(), "fetch", "--quiet", "origin");
    history.git("-C", checkout(), "checkout", "--quiet", id);
    await site.context("checkout", files);
    const tags = ["main", id].flatMap((tag) => ["--tag", `${repository}:${tag}`]);
    const { report } = await site.build([...tags, checkout()]);
    return report.image.digest as Digest;
  }

  /** Up to the last of the commits, unless the flags name another one. */
  async function analyze(...flags: readonly string[]): Promise<NonNullable<Analysis["backtest"]>> {
    const registry = ["--insecure-registry", site.registry.name];
    const branch = flags.includes("--branch") ? [] : ["--branch", commits.get("last") ?? ""];
    const all = ["analyze", "--json", ...registry, "--backtest", "recorded", ...branch, ...flags, history.path];
    const { exitCode, stdout, stderr } = await site.layerwise(all);
    expect(stderr).not.toContain("error");
    expect(exitCode).toBe(0);
    const { backtest } = JSON.parse(stdout.toString("utf8")) as Analysis;
    if (backtest === undefined) throw new Error("there is no backtest");
    return backtest;
  }

  function taggedAll(): readonly string[] {
    return [...commits.values()].flatMap((id) => ["--tag", `${repository}:${id}`]);
  }

  function subjectOf(id: string | undefined): string | undefined {
    return [...commits].find(([, name]) => name === id)?.[0];
  }

  /** Replaces the record of a commit's build. */
  async function alter(subject: string, change: (record: BuildRecord) => BuildRecord): Promise<() => Promise<void>> {
    const url = `http://${site.registry.name}/v2/recorded/manifests/${recordTag(images.get(subject) as Digest)}`;
    const bytes = new Uint8Array(await (await fetch(url, { headers: { accept: manifestType } })).arrayBuffer());
    const record = decodeRecordManifest(bytes, { mediaType: manifestType, source: "record" });
    if (typeof record === "string") throw new Error(record);
    const manifest = decodeManifest(bytes, { mediaType: manifestType, source: "record" });
    const annotations = Object.keys(manifest.annotations ?? {}).map((name) => [
      name,
      encodeBuildRecord(change(record)),
    ]);
    const put = async (body: Uint8Array) => {
      const headers = { "content-type": manifestType };
      expect((await fetch(url, { method: "PUT", headers, body: Buffer.from(body) })).status).toBe(201);
    };
    await put(encodeManifest({ ...manifest, annotations: Object.fromEntries(annotations) }));
    return async () => await put(bytes);
  }

  it("agrees with each build that left a record", async () => {
    const { source, commits: compared, agreed, uncompared, unrecorded } = await analyze(...taggedAll());

    expect(source).toBe("records");
    expect(compared.filter(({ agrees }) => !agrees)).toEqual([]);
    expect(compared.map(({ id, actual }) => [subjectOf(id), actual?.route, actual?.made.join(" ")])).toEqual([
      ["first", "engine", "dependencies:2 dependencies:3 1:5 1:6 1:8"],
      ["source", "assemble", "1:8"],
      ["dependencies", "engine", "dependencies:2 dependencies:3 1:5 1:6 1:8"],
      ["source and a file", "assemble", "1:8"],
      ["mode", "assemble", "1:8"],
      ["label", "reuse", ""],
      ["last", "assemble", "1:8"],
    ]);
    expect(agreed).toBe(7);
    expect(uncompared).toEqual([]);
    // What does not reach the image, or takes a change back, makes an image that has its record.
    expect(unrecorded).toBe(2);
  });

  it("counts what builds of other commits left behind", async () => {
    const { commits: compared, uncompared } = await analyze("--last", "3", "--tag", `${repository}:main`);

    expect(compared.map(({ id, agrees }) => [subjectOf(id), agrees])).toEqual([
      ["label", true],
      ["last", true],
    ]);
    expect(new Set(uncompared.map(({ why }) => why))).toEqual(new Set(["other-revision"]));
  });

  it("compares nothing that was built for something else", async () => {
    const { commits: compared, uncompared } = await analyze(...taggedAll(), "--build-arg", "A=1");

    expect(compared).toEqual([]);
    expect(uncompared).toHaveLength(7);
    expect(uncompared[0]).toMatchObject({ id: commits.get("first"), why: "arguments", detail: "A" });
  });

  it("names commit and step of a record that says something else", async () => {
    const restore = await alter("source and a file", (record) => ({
      ...record,
      buildArgs: undefined,
      route: "engine",
      stages: record.stages.map((stage) => ({
        ...stage,
        steps: stage.steps.map((step) => (step.line === 6 ? { ...step, state: "made" as const } : step)),
      })),
    }));

    const { commits: compared, agreed } = await analyze(...taggedAll());
    await restore();

    expect(agreed).toBe(6);
    const [wrong, ...others] = compared.filter(({ agrees }) => !agrees);
    expect(others).toEqual([]);
    expect(wrong).toMatchObject({
      id: commits.get("source and a file"),
      predicted: { route: "assemble", made: ["1:8"] },
      actual: { route: "engine", made: ["1:6", "1:8"] },
      differences: [{ step: "1:6", predicted: "reused", actual: "made", key: "same" }],
    });
  });

  it("says of a build from other files than git has that its inputs were other ones", async () => {
    const id = history.commit({ "notes.md": "nothing that is built either\n" }, "generated");
    await build(id, { "deps.txt": "made by CI before the build\n" });

    const { commits: compared } = await analyze("--branch", id, "--tag", `${repository}:main`);

    expect(compared.at(-1)).toMatchObject({ id, agrees: false, actual: { route: "engine" } });
    expect(compared.at(-1)?.differences[0]).toEqual({
      step: "dependencies:2",
      predicted: "reused",
      actual: "made",
      key: "other",
    });
  });

  it.each([
    [[], 2, "could not backtest with records: there is no tag"],
    [["--tag", "nowhere:main"], 3, "could not find records of builds: there is no"],
  ])("refuses %j", async (flags, code, message) => {
    const named = flags.map((flag) => flag.replace("nowhere", `${site.registry.name}/nowhere`));
    const registry = ["--offline", "--insecure-registry", site.registry.name];

    const { exitCode, stderr } = await site.layerwise([
      ...["analyze", ...registry, "--backtest", "recorded", ...named, history.path],
    ]);

    expect(stderr).toContain(message);
    expect(exitCode).toBe(code);
  });
});
