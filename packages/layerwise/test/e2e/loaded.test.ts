// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openArchiveImage, tinyBase, validateImage } from "../../../lab/src/index.ts";
import { endKinds } from "../../../lab/test/engine-kinds.ts";
import type { Report } from "../../src/report/report.ts";
import { noEngine, openSite, type RunOptions, type Site } from "./site.ts";

for (const { generation, store } of endKinds) {
  describe(`with Docker ${generation} and the ${store} store, an image`, () => {
    let site: Site;
    let base: string;

    beforeAll(async () => {
      site = await openSite({ generation, store });
      base = await tinyBase(site.registry);
    });
    afterAll(async () => await site.close());

    const docker = async (...args: string[]) => (await site.engine?.exec(["docker", ...args]))?.stdout ?? "";

    /** A build that pushes nothing. */
    async function build(
      args: readonly string[],
      options: RunOptions = {},
    ): Promise<{ report: Report; stdout: Buffer }> {
      const report = join(site.scratch, "report.json");
      const all = ["build", "--insecure-registry", site.registry.name, "--report", report, ...args];
      const { exitCode, stderr, stdout } = await site.layerwise(all, options);
      expect(exitCode, stderr).toBe(0);
      return { report: JSON.parse(await readFile(report, "utf8")) as Report, stdout };
    }

    it("is loaded where nothing else is said, and runs, however it came to be", async () => {
      const text = `FROM ${base}\nRUN echo made > /made\nCOPY a /a\nCMD ["cat", "/made", "/a"]\n`;
      const folder = await site.context("load", { Dockerfile: text, a: "1\n" });
      const cache = ["--cache-repo", `${site.registry.name}/load-cache`];
      const routes: string[] = [];
      const outputs: string[] = [];
      const ids: string[][] = [];
      const change = { first: undefined, source: "2\n", nothing: undefined };

      for (const [tag, content] of Object.entries(change)) {
        if (content !== undefined) await writeFile(join(folder, "a"), content);
        const iid = join(site.work, `iid-${tag}`);
        const { report } = await build(["--tag", `app:${tag}`, ...cache, "--iidfile", iid, folder]);
        routes.push(report.route);
        outputs.push(await docker("run", "--rm", `app:${tag}`));
        ids.push([await readFile(iid, "utf8"), (await docker("inspect", "--format", "{{.Id}}", `app:${tag}`)).trim()]);
        await site.engine?.wipe();
      }

      expect(routes).toEqual(["engine", "assemble", "reuse"]);
      expect(outputs).toEqual(["made\n1\n", "made\n2\n", "made\n2\n"]);
      for (const [written, shown] of ids) expect(written).toBe(shown);
    });

    it("is loaded under all its names, beside a push", async () => {
      const text = `FROM ${base}\nCOPY a /a\nCMD ["cat", "/a"]\n`;
      const folder = await site.context("names", { Dockerfile: text, a: "names\n" });
      const names = ["one:1", "two:1"].map((name) => `${site.registry.name}/names-${name}`);

      const { report } = await build(["--push", "--load", ...names.flatMap((name) => ["--tag", name]), folder]);

      expect(report.route).toBe("assemble");
      for (const name of names) {
        expect(await docker("run", "--rm", "--pull=never", name)).toBe("names\n");
        expect(await site.flaws(name)).toEqual([]);
      }
    });

    it("loads from an archive that was made without it", async () => {
      const folder = await site.context("archive", {
        Dockerfile: `FROM ${base}\nCOPY a /a\nCMD ["cat", "/a"]\n`,
        a: "from an archive\n",
      });
      const file = join(site.work, "image.tar");
      // The time is all that differs between two builds.
      const env = { ...noEngine, SOURCE_DATE_EPOCH: "1700000000" };
      const tags = ["--tag", "archived:1", "--tag", "archived:2"];

      await build([...tags, "--output", `type=docker,dest=${file}`, folder], { env });
      const { stdout, report } = await build([...tags, "--output", "type=docker,dest=-", folder], { env });

      expect(stdout.equals(await readFile(file))).toBe(true);
      expect(await validateImage(await openArchiveImage(file))).toEqual([]);
      expect(report.image.references).toEqual(["archived:1", "archived:2"]);
      await docker("load", "--input", file);
      expect(await docker("run", "--rm", "archived:2")).toBe("from an archive\n");
    });
  });
}
