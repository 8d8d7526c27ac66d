// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import { expectFailure } from "./expect-failure.ts";
import { openRawRepository } from "./raw-repository.ts";
import { noEngine, openSite, type Site } from "./site.ts";
import { expectSound, firstLine } from "./sound-image.ts";

const transplantType = "application/vnd.layerwise.transplant.v1+json+gzip";

describe("after a COPY --from of a stage that did not change", () => {
  let site: Site;
  let base: string;
  let count = 0;
  beforeAll(async () => {
    site = await openSite({ generation: 28, store: "containerd" });
    base = await tinyBase(site.registry);
  });
  afterAll(async () => await site.close());

  /** A published application, of which a source has changed since. */
  async function changedApp(...flags: readonly string[]) {
    count += 1;
    const name = `app-${count}`;
    const dockerfile = [
      `FROM ${base} AS web`,
      "COPY page /page",
      "RUN mkdir /dist && cp /page /dist/page && chown 5:6 /dist",
      `FROM ${base}`,
      "COPY src /app",
      "COPY --from=web /dist /app/static",
      "WORKDIR /app",
      "",
    ].join("\n");
    await site.context(name, { Dockerfile: dockerfile, page: "page", "src/a": "1" });
    const reference = `${site.registry.name}/${name}`;
    const first = await site.build([...flags, "--tag", `${reference}:1`, name]);
    await site.context(name, { "src/a": "2" });
    return { name, reference, first, repository: openRawRepository(site.registry, name) };
  }

  it("a change of another source is published without an engine, and sends no layer but its own", async () => {
    const { name, reference, first } = await changedApp();
    const mark = await site.registry.mark();

    const { report } = await site.build(["--tag", `${reference}:2`, name], { env: noEngine });

    expect(first.report.route).toBe("engine");
    expect(report.route).toBe("assemble");
    expect(report.steps.map(({ stage, state, by }) => [stage, state, by])).toEqual([
      ["1", "made", "assemble"],
      ["1", "reused", "transplant"],
      ["1", "made", "assemble"],
    ]);
    expect(report.steps[1]?.bytes).toBe(
      first.report.steps.find(({ instruction }) => instruction.includes("--from"))?.bytes,
    );
    const gets = (await site.registry.requests(mark)).filter(({ method }) => method === "GET");
    expect(gets.every(({ bytes }) => bytes < 64 * 1024)).toBe(true);
    await expectSound(site, `${reference}:2`);
    const run = ["docker", "run", "--rm", `${reference}:2`, "sh", "-c", "echo $(pwd) $(cat /app/a) $(cat static/page)"];
    expect(firstLine(await site.engine?.exec(run))).toBe("/app 2 page");
  });

  it("the plan says which layer is taken as it is", async () => {
    const { name } = await changedApp();
    const flags = ["--insecure-registry", site.registry.name, "--tag", `${site.registry.name}/${name}:1`];

    const { stdout } = await site.layerwise(["plan", ...flags, name], { env: noEngine });

    expect(stdout.toString("utf8")).toMatch(
      /COPY --from=web \/dist \/app\/static +reused +transplant +copies the same to the same place/,
    );
  });

  it("a build whose files are taken over is as good a start for the next one", async () => {
    const { name, reference } = await changedApp();
    await site.build(["--tag", `${reference}:2`, name], { env: noEngine });

    const again = await site.build(["--tag", `${reference}:3`, name], { env: noEngine });
    await site.context(name, { "src/b": "3" });
    const next = await site.build(["--tag", `${reference}:4`, name], { env: noEngine });

    expect([again.report.route, next.report.route]).toEqual(["reuse", "assemble"]);
    expect(next.report.steps.map(({ by }) => by)).toEqual(["assemble", "transplant", "assemble"]);
    await expectSound(site, `${reference}:4`);
  });

  it("nothing is taken whose source lost its checkpoint", async () => {
    const { name, first } = await changedApp();
    const run = first.report.steps.find(({ instruction }) => instruction.startsWith("RUN"));
    const cache = `${site.registry.name}/${name}`;
    const insecure = ["--insecure-registry", site.registry.name];
    await site.layerwise(["prune", ...insecure, "--cache-repo", cache, "--key", run?.key ?? ""]);

    const outcome = await site.layerwise(["build", "--push", ...insecure, "--tag", `${cache}:2`, name], {
      env: noEngine,
    });

    expectFailure(outcome, { code: "ENGINE_MISSING", says: ["COPY --from reads files that only the engine has"] });
  });

  it.each([
    ["--checkpoints", "none"],
    ["--checkpoints", "final"],
    ["--read-only-cache", "--push"],
  ])("nothing is recorded with %s %s", async (...flags) => {
    const { repository } = await changedApp(...flags);

    expect(await transplantsIn(repository)).toEqual([]);
  });

  it.each([["--no-cache"], ["--no-cache-filter", "web"], ["--refresh-after", "0s"]])(
    "nothing is taken with %s",
    async (...flags) => {
      const { name, reference } = await changedApp();

      const { report } = await site.build([...flags, "--tag", `${reference}:2`, name]);

      expect(report.route).toBe("engine");
      expect(report.steps.filter(({ by }) => by === "transplant")).toEqual([]);
    },
  );

  it("a document that was exchanged is named, and the engine builds", async () => {
    const { name, reference, repository } = await changedApp();
    const [tag = ""] = await transplantsIn(repository);
    const { annotations: _, ...manifest } = await repository.manifest(tag);
    await repository.putManifest(tag, manifest);

    const { report } = await site.build(["--tag", `${reference}:2`, name]);

    expect(report.route).toBe("engine");
    expect(report.checkpoints.refused).toEqual([{ tag, why: "it does not say its key" }]);
  });
});

/** The tags of recorded layers. */
async function transplantsIn(repository: ReturnType<typeof openRawRepository>): Promise<readonly string[]> {
  const tags: string[] = [];
  for (const tag of (await repository.tags()).filter((one) => /^lwcache-[0-9a-f]{40}$/.test(one))) {
    const { layers } = await repository.manifest(tag);
    if (layers[0]?.mediaType === transplantType) tags.push(tag);
  }
  return tags;
}
