// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import type { Report } from "../../src/report/report.ts";
import { openSite, type Site } from "./site.ts";

/** Paths of all values in a document; positions in lists are left out. */
function pathsOf(value: unknown, path = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, `${path}[]`));
  if (typeof value !== "object" || value === null) return [`${path}: ${typeof value}`];
  return Object.entries(value).flatMap(([name, item]) => pathsOf(item, path === "" ? name : `${path}.${name}`));
}

/** The fields that the page about reports lists, in the same form. */
async function documented(): Promise<readonly string[]> {
  const page = await readFile(new URL("../../../../docs/report.md", import.meta.url), "utf8");
  return [...page.matchAll(/^\| `([^`]+)` +\| (\w+) +\|/gm)].map(([, path, type]) => `${path}: ${type}`);
}

describe("a report", () => {
  let site: Site;
  let reports: Readonly<Record<"engine" | "assemble" | "reuse" | "refused", Report>>;

  beforeAll(async () => {
    site = await openSite({ generation: 28, store: "containerd" });
    const base = await tinyBase(site.registry);
    const text = `FROM ${base} AS tools
RUN echo tool > /tool
FROM ${base} AS app
RUN echo $HOME > /made
COPY --from=tools /tool /tool
COPY src /src
CMD ["cat", "/src/a"]
`;
    const folder = await site.context("app", { Dockerfile: text, "src/a": "1" });
    const reference = `${site.registry.name}/app`;
    const build = async (tag: string, ...flags: string[]) =>
      (await site.build(["--tag", `${reference}:${tag}`, "--target", "app", ...flags, folder])).report;

    const latest = ["--tag", `${reference}:latest`];
    const engine = await build("engine", ...latest);
    await site.context("app", { "src/a": "2" });
    const assemble = await build("assemble", ...latest);
    const reuse = await build("reuse", "--push", "--tag", `${reference}-again:1`);
    await damage(reuse.checkpoints.found[0]?.tag ?? "");
    const refused = await build("refused", "--verify=always");
    reports = { engine, assemble, reuse, refused };
  });
  afterAll(async () => await site.close());

  /** Puts another image in a checkpoint's place. */
  async function damage(tag: string): Promise<void> {
    const place = `http://${site.registry.name}/v2/app/manifests`;
    const type = "application/vnd.docker.distribution.manifest.v2+json";
    const other = await (await fetch(`${place}/engine`, { headers: { accept: type } })).text();
    const answer = await fetch(`${place}/${tag}`, { method: "PUT", headers: { "content-type": type }, body: other });
    expect(answer.status).toBe(201);
  }

  it("has the fields that its page lists, and no others", async () => {
    const seen = new Set(Object.values(reports).flatMap((report) => pathsOf(report)));

    // Nothing of these builds had to be warned of.
    const listed = (await documented()).filter((path) => path !== "warnings[]: string");
    expect([...seen].filter((path) => !path.startsWith("warnings")).sort()).toEqual([...listed].sort());
    expect(reports.engine.version).toBe(1);
  });

  it("of an engine's build says what executed, why, and for how long", () => {
    const { engine: report } = reports;

    expect(report).toMatchObject({ route: "engine", target: "app", platform: expect.stringMatching(/^linux\//) });
    expect(report.engine).toMatch(/^Docker 28\./);
    expect(report.reasons.map(({ name, line }) => [name, line])).toContainEqual(["run-executes", 4]);
    const steps = report.steps.map(({ stage, line, state, by }) => [stage, line, state, by]);
    expect(steps).toEqual([
      ["tools", 2, "made", "engine"],
      ["app", 4, "made", "engine"],
      ["app", 5, "made", "engine"],
      ["app", 6, "made", "engine"],
    ]);
    expect(report.steps.map(({ seconds }) => seconds >= 0)).not.toContain(false);
    expect(report.steps.map(({ bytes }) => bytes !== undefined)).toEqual([false, true, true, true]);
    expect(report.checkpoints.saved.map(({ instruction }) => instruction)).toEqual(
      expect.arrayContaining(["RUN echo tool > /tool", "RUN echo $HOME > /made", "COPY src /src"]),
    );
  });

  it("of an assembled image says which step was made", () => {
    const { assemble: report } = reports;

    expect(report.route).toBe("assemble");
    expect(report.engine).toBeUndefined();
    expect(report.reasons).toEqual([]);
    const own = report.steps
      .filter(({ stage }) => stage === "app")
      .map(({ line, state, by, why }) => [line, state, by, why]);
    expect(own).toEqual([
      [4, "reused", "checkpoint", "same inputs"],
      [5, "reused", "checkpoint", "same inputs"],
      [6, "made", "assemble", "no checkpoint for its inputs"],
    ]);
    expect(report.image.digest).not.toBe(reports.engine.image.digest);
    expect(report.image.layers).toBe(reports.engine.image.layers);
  });

  it("of a reused image says that nothing was made", () => {
    const { reuse: report, assemble } = reports;

    expect(report.route).toBe("reuse");
    expect(new Set(report.steps.map(({ state }) => state))).toEqual(new Set(["reused"]));
    expect(report.image.digest).toBe(assemble.image.digest);
    expect(report.image.contentTag).toBe(assemble.image.contentTag);
    expect(report.image.references).toEqual([`${site.registry.name}/app:reuse`, `${site.registry.name}/app-again:1`]);
    expect(report.blobs.mounted.count).toBeGreaterThan(0);
  });

  it("names a checkpoint that was not used, and why", () => {
    const { refused: report, reuse } = reports;

    expect(report.checkpoints.refused.map(({ tag }) => tag)).toContain(reuse.checkpoints.found[0]?.tag);
    expect(report.steps.at(-1)).toMatchObject({ line: 6, state: "made" });
    expect(report.verification).toBe("equal");
  });

  it("adds up", () => {
    for (const { seconds, steps, image } of Object.values(reports)) {
      const sum = seconds.plan + seconds.produce + seconds.verify + seconds.publish + seconds.save;
      expect(Math.abs(seconds.total - sum)).toBeLessThan(0.005);
      const own = steps.reduce((total, { bytes = 0 }) => total + bytes, 0);
      expect(own).toBeLessThan(image.bytes);
    }
  });
});
