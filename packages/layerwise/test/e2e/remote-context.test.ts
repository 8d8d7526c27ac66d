// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeTar, tinyBase } from "../../../lab/src/index.ts";
import { endKinds } from "../../../lab/test/engine-kinds.ts";
import { type ContextServer, startContextServer } from "./context-server.ts";
import { expectFailure } from "./expect-failure.ts";
import { noEngine, openSite, type Site } from "./site.ts";
import { expectSound } from "./sound-image.ts";

async function git(folder: string, ...args: readonly string[]): Promise<void> {
  const author = ["-c", "user.name=someone", "-c", "user.email=someone@example.com"];
  await promisify(execFile)("git", [...author, ...args], { cwd: folder });
}

for (const { generation, store } of endKinds) {
  describe(`Docker ${generation} with the ${store} store fetches`, () => {
    let site: Site;
    let server: ContextServer;
    let files: Readonly<Record<string, string>>;

    beforeAll(async () => {
      site = await openSite({ generation, store });
      const base = await tinyBase(site.registry);
      server = await startContextServer(site.registry.address, await site.folder("repositories"));
      const text = `FROM ${base} AS one\nARG WHAT=nothing\nCOPY . /ctx/\nRUN echo $WHAT > /what\nFROM scratch AS other\n`;
      files = { Dockerfile: text, "other.Dockerfile": `FROM ${base}\nCOPY src /other\n`, "src/a": "1" };
    });
    afterAll(async () => {
      server.close();
      await site.close();
    });

    /** Builds a context that is a URL, and compares with what the engine makes of it. */
    async function expectBuilt(name: string, url: string, flags: readonly string[]): Promise<void> {
      const reference = `${site.registry.name}/${name}:1`;

      const { report } = await site.build(["--tag", reference, "--tag", `${reference}-also`, ...flags, url]);

      expect(report.route).toBe("engine");
      expect(report.reasons).toEqual([{ name: "remote-context", text: expect.stringContaining(url) }]);
      // What was not seen here has no key, so nothing can stand for it.
      expect(report.checkpoints.saved).toEqual([]);
      await expectSound(site, reference);
      await site.engineBuild([...flags, url], `${site.registry.name}/${name}-truth:1`);
      expect(await site.differences(reference, `${site.registry.name}/${name}-truth:1`)).toEqual([]);
      expect(await site.tags(name)).toEqual(["1", "1-also"]);
    }

    it("an archive from a URL, which it gets whole", async () => {
      const items = Object.entries(files).map(([path, content]) => ({ path, type: "file", content }) as const);
      server.files.set("/context.tar.gz", gzipSync(encodeTar(items)));

      await expectBuilt("url", `${server.url}/context.tar.gz`, ["--target", "one", "--build-arg", "WHAT=url"]);

      expect(server.requests).toContain("/context.tar.gz");
    });

    it("a git repository, at a branch", async () => {
      // Docker 20.10 takes nothing but the root of a repository.
      const below = generation === 20 ? "" : "deep";
      const folder = await site.folder("work-tree");
      await site.context(join("work-tree", below), files);
      await git(folder, "init", "--quiet", "--initial-branch", "main");
      await git(folder, "add", ".");
      await git(folder, "commit", "--quiet", "--message", "first");
      await git(folder, "branch", "release");
      await git(folder, "clone", "--quiet", "--bare", ".", join(site.work, "repositories/app.git"));

      await expectBuilt("git", `${server.url}/app.git#release${below && `:${below}`}`, ["--file", "other.Dockerfile"]);
    });
  });
}

describe("without an engine, a context that only an engine fetches", () => {
  it("is refused with the reason", async () => {
    const site = await openSite(undefined);
    const args = [
      "build",
      "--push",
      "--tag",
      `${site.registry.name}/none:1`,
      `http://${site.registry.name}/context.tar`,
    ];

    const outcome = await site.layerwise(args, { env: noEngine });

    await site.close();
    expectFailure(outcome, { code: "ENGINE_MISSING", says: ["URL or a git repository", "[remote-context]"] });
  });
});
