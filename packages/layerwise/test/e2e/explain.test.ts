// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import type { Explanation } from "../../src/explain/cause.ts";
import { recordTag } from "../../src/spec/build-record.ts";
import type { Digest } from "../../src/spec/digest.ts";
import { openSite } from "./site.ts";

const site = await openSite(undefined);
afterAll(async () => await site.close());
const base = await tinyBase(site.registry);
const insecure = ["--insecure-registry", site.registry.name];
const dockerfile = `FROM ${base}\nARG TOKEN\nWORKDIR /app\nCOPY lib lib/\nCOPY src src/$TOKEN/\n`;

/** Runs a command that must work; gives what it printed. */
async function printed(args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await site.layerwise([...args, ...insecure]);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  return stdout.toString("utf8");
}

/** Runs a command that must fail; gives the error. */
async function refused(args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await site.layerwise([...args, ...insecure]);
  expect(exitCode).not.toBe(0);
  return stderr;
}

async function explained(args: readonly string[]): Promise<Explanation> {
  return JSON.parse(await printed(["explain", "--json", ...args])) as Explanation;
}

/** Three builds of one application, each with a commit's tag and `latest`. */
async function threeBuilds(name: string) {
  const folder = await site.context(name, { Dockerfile: dockerfile, "lib/l": "1", "src/a": "1", "src/b": "1" });
  const repository = `${site.registry.name}/${name}`;
  const build = async (tag: string, ...flags: string[]) =>
    await site.build(["--tag", `${repository}:${tag}`, "--tag", `${repository}:latest`, ...flags, folder]);
  const first = await build("c1");
  await site.context(name, { "src/a": "22" });
  const second = await build("c2");
  await site.context(name, { "src/new": "3", "lib/l": "3" });
  const third = await build("c3");
  return { folder, repository, build, first, second, third };
}

/** Builds for tests that only look. */
let built: ReturnType<typeof threeBuilds> | undefined;
function someBuilds(): ReturnType<typeof threeBuilds> {
  built ??= threeBuilds("some");
  return built;
}

describe("the report of a build", () => {
  it("says why each step was made, compared with what a tag pointed to before", async () => {
    const { repository, first, second, third } = await someBuilds();

    expect(first.report.explanation?.before).toBeUndefined();
    expect(new Set(first.report.explanation?.steps.map(({ cause }) => cause))).toEqual(new Set(["no-build-before"]));
    expect(first.stderr).toContain("why: no build before");
    const { before, steps } = second.report.explanation ?? {};
    expect(before).toMatchObject({ reference: `${repository}:latest`, digest: first.report.image.digest });
    expect(steps?.map(({ line, cause, text }) => [line, cause, text])).toContainEqual([5, "files", "src/a changed"]);
    expect(second.stderr).toMatch(/^why line 5: src\/a changed$/m);
    expect(third.report.explanation?.steps.map(({ line, cause, origin }) => [line, cause, origin])).toEqual([
      [3, "between", 3],
      [4, "files", 4],
      [5, "files", 4],
    ]);
  });

  it("says nothing of an image that is byte for byte what it was", async () => {
    const { build } = await threeBuilds("repeated");

    const { report } = await build("c4");

    expect(report.route).toBe("reuse");
    expect(report.explanation).toBeUndefined();
  });

  it("falls back to latest on a new branch, and says so where nothing is", async () => {
    const { folder, repository } = await threeBuilds("branch");
    await site.context("branch", { "src/b": "branch" });

    const { report } = await site.build(["--tag", `${repository}:branch`, folder]);

    expect(report.explanation?.before?.reference).toBe(`${repository}:latest`);
  });

  it("finds the build before in an OCI layout too", async () => {
    const folder = await site.context("layout", { Dockerfile: dockerfile, "lib/l": "1", "src/a": "1" });
    const layout = join(site.work, "layout-out");
    const report = join(site.work, "layout-report.json");
    const args = ["build", ...insecure, "--output", `type=oci,dest=${layout}`, "--report", report, folder];
    await site.layerwise(args);
    await site.context("layout", { "src/a": "2" });

    const { exitCode } = await site.layerwise(args);

    expect(exitCode).toBe(0);
    const { explanation } = JSON.parse(await readFile(report, "utf8"));
    expect(explanation.steps.at(-1)).toMatchObject({ line: 5, cause: "files", text: "src/a changed" });
  });
});

describe("a page about a build", () => {
  it("tells of the builds before it, also where nothing was left to make", async () => {
    const { repository, folder } = await threeBuilds("page");
    const page = join(site.work, "page.html");
    const read = async () => (await readFile(page, "utf8")).split('<h2 id="history">')[1] ?? "";

    await site.build(["--tag", `${repository}:latest`, "--report", page, folder]);
    const repeated = await read();
    await site.context("page", { "src/a": "changed" });
    await site.build(["--tag", `${repository}:latest`, "--report", page, folder]);
    const changed = await read();

    for (const history of [repeated, changed]) expect(history.match(/<tr><td/g)).toHaveLength(3);
  });
});

describe("explain", () => {
  it("says what a build would make, and why", async () => {
    const { folder, repository } = await threeBuilds("would");
    await site.context("would", { "src/b": "other" });

    const { before, steps } = await explained(["-t", `${repository}:latest`, folder]);
    const text = await printed(["explain", "-t", `${repository}:latest`, folder]);

    expect(before).toMatchObject({ kind: "build", name: `${repository}:latest` });
    expect(steps.at(-1)?.causes[0]).toMatchObject({
      kind: "files",
      count: 1,
      changes: [{ path: "src/b", how: "changed" }],
    });
    expect(text).toMatch(/line 5 {2}COPY src src\/\$TOKEN\/\n {2}src\/b changed\n {4}changed src\/b \(5 bytes\)\n/);
  });

  it("explains the build that was, where nothing changed since", async () => {
    const { folder, repository, second } = await someBuilds();

    const { before, steps } = await explained(["-t", `${repository}:latest`, folder]);

    expect(before).toMatchObject({ kind: "build", digest: second.report.image.digest });
    expect(steps.map(({ line }) => line)).toEqual([3, 4, 5]);
  });

  it("compares two references, and two plans offline", async () => {
    const { folder, repository } = await threeBuilds("two");
    const plans = [join(site.work, "one.json"), join(site.work, "two.json")] as const;
    await writeFile(plans[0], await printed(["plan", "--json", "-t", `${repository}:latest`, folder]));
    await site.context("two", { "src/b": "offline" });
    await writeFile(plans[1], await printed(["plan", "--json", "-t", `${repository}:latest`, folder]));

    const references = await explained([`${repository}:c1`, `${repository}:c3`]);
    const offline = await explained([...plans]);

    expect(references.steps.map(({ line, causes }) => [line, causes[0].kind])).toEqual([
      [4, "files"],
      [5, "files"],
    ]);
    expect(offline.steps.map(({ line, causes }) => [line, causes[0].kind])).toEqual([[5, "files"]]);
  });

  it("names an argument, and no record has its value", async () => {
    const { folder, repository, build } = await threeBuilds("secret");
    const secret = "hunter2-correct-horse";
    await build("c4", "--build-arg", `TOKEN=${secret}`);
    const { report } = await build("c5", "--build-arg", `TOKEN=${secret}2`);

    const json = await printed(["history", "--json", "-t", `${repository}:latest`]);
    const plan = await printed(["plan", "--json", "--build-arg", `TOKEN=${secret}`, "-t", `${repository}:x`, folder]);

    expect(report.explanation?.steps.at(-1)).toMatchObject({ cause: "argument", line: 5 });
    const stored = await recordText("secret", report.image.digest as Digest);
    for (const text of [json, stored]) expect(text).not.toContain("hunter2");
    expect(JSON.stringify(JSON.parse(plan).record)).not.toContain("hunter2");
    expect(stored).toContain("src/a");
  });

  it("says what it cannot read, and what to give instead", async () => {
    const { repository } = await someBuilds();
    const file = join(site.work, "bad.json");
    await writeFile(file, "{}");
    const text = join(site.work, "text.json");
    await writeFile(text, "FROM scratch");

    expect(await refused(["explain", file, file])).toMatch(/^error USAGE: could not read .*no plan and no record/);
    expect(await refused(["explain", text, file])).toMatch(/^error USAGE: could not read .*it is no JSON/);
    expect(await refused(["explain", "/nowhere/a.json", file])).toMatch(/^error DISK: could not read .*ENOENT/);
    expect(await refused(["explain", "a", "b", "c"])).toMatch(/^error USAGE: .*too many arguments/);
    expect(await refused(["explain", `${repository}:none`, `${repository}:c1`])).toMatch(
      /^error REGISTRY_NOT_FOUND: could not find .*:none/,
    );
    expect(await refused(["explain", base, `${repository}:c1`])).toMatch(
      /^error REGISTRY_NOT_FOUND: could not find the record/,
    );
    expect(await refused(["history"])).toMatch(/^error USAGE: could not show the history of builds: there is no tag/);
    expect(await refused(["history", "-t", "a", "--last", "0"])).toMatch(/^error USAGE: could not read --last 0/);
  });
});

describe("history", () => {
  it("lists the builds that led to what a tag points to, the newest first", async () => {
    const { repository, first, second, third } = await someBuilds();

    const text = await printed(["history", "-t", `${repository}:latest`]);
    const { builds } = JSON.parse(await printed(["history", "--json", "--last", "2", "-t", `${repository}:latest`]));
    const none = await printed(["history", "-t", `${site.registry.name}/history-none:latest`]);

    const digests = [third, second, first].map(({ report }) => report.image.digest);
    expect(builds.map(({ image }: { image: string }) => image)).toEqual(digests.slice(0, 2));
    const lines = text.trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    for (const [index, digest] of digests.entries()) expect(lines[index + 1]).toContain(digest.slice(0, 19));
    expect(none).toContain("there is no");
  });

  it("has no record of a build that may not write, and none without checkpoints", async () => {
    const { folder, repository } = await threeBuilds("read-only");
    await site.context("read-only", { "src/b": "fork" });

    const fork = await site.build(["--read-only-cache", "--tag", `${repository}:fork`, folder]);

    expect(fork.report.explanation?.steps.at(-1)).toMatchObject({ cause: "files" });
    expect(await recordText("read-only", fork.report.image.digest as Digest)).toBe("");
  });
});

/** The record of an image as it is stored, unpacked; empty if there is none. */
async function recordText(repository: string, image: Digest): Promise<string> {
  const url = `http://${site.registry.name}/v2/${repository}/manifests/${recordTag(image)}`;
  const answer = await fetch(url, { headers: { accept: "application/vnd.oci.image.manifest.v1+json" } });
  if (answer.status === 404) return "";
  const { annotations } = (await answer.json()) as { annotations: Record<string, string> };
  return gunzipSync(Buffer.from(annotations["io.layerwise.cache.record"] ?? "", "base64")).toString("utf8");
}
