// SPDX-License-Identifier: Apache-2.0
import { chmod, cp, mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, pythonBase, tinyBase } from "../../../lab/src/index.ts";
import { endKinds, isMatrix } from "../../../lab/test/engine-kinds.ts";
import { viewDifferences } from "./engine-view.ts";
import { familyTypes, fetchConfig, fetchManifest } from "./registry-documents.ts";
import { openSite, type Site } from "./site.ts";
import { expectSound } from "./sound-image.ts";

for (const [index, { generation, store }] of endKinds.entries()) {
  describe(`what Docker ${generation} with the ${store} store made`, () => {
    let site: Site;
    /** On every run one on each engine; with LAYERWISE_ENGINES=all both on each. */
    const families = familyTypes.filter((_, place) => isMatrix || place === index);
    beforeAll(async () => {
      site = await openSite({ generation, store });
    });
    afterAll(async () => await site.close());

    it.each(families)("is published with the media types of its base: $family", async ({ family, ...types }) => {
      const base = await tinyBase(site.registry, { repository: `base-${family}`, family });
      const dockerfile = (last: string) => `FROM ${base}
RUN echo one > /one
LABEL of=dockerfile
COPY a /a
RUN cat /one /a > /two && echo ${last} >> /two
CMD ["cat", "/two"]
`;
      const repository = `family-${family}`;
      const folder = await site.context(repository, { a: "a\n" });
      const flags = ["--label", "of=flag", "--annotation", "org.example.a=b"];

      for (const last of ["first", "second"]) {
        await site.engine?.wipe();
        await site.context(repository, { Dockerfile: dockerfile(last) });
        const reference = `${site.registry.name}/${repository}:${last}`;

        const { report } = await site.build(["--tag", reference, ...flags, folder]);

        expect(report.route).toBe("engine");
        const continued = last === "first" ? ["made", "made", "made"] : ["reused", "made", "made"];
        expect(report.steps.map(({ state }) => state)).toEqual(continued);
        const { manifest } = await fetchManifest(site, repository, last);
        expect([manifest.mediaType, manifest.config.mediaType]).toEqual([types.manifest, types.config]);
        expect(new Set(manifest.layers.map(({ mediaType }) => mediaType))).toEqual(new Set([types.layer]));
        expect([manifest.subject, manifest.annotations]).toEqual([undefined, { "org.example.a": "b" }]);
        const { config } = await fetchConfig(site, repository, last);
        expect(config.Labels).toEqual({ "org.example.kind": "tiny", of: "flag" });
        await expectSound(site, reference);
        const run = await site.engine?.exec(["docker", "run", "--rm", "--pull=always", reference]);
        expect(run?.stdout).toBe(`one\na\n${last}\n`);
        await site.engineBuild(["--label", "of=flag", folder], `${site.registry.name}/${repository}-truth:${last}`);
        expect(await site.differences(reference, `${site.registry.name}/${repository}-truth:${last}`)).toEqual([]);
      }
    });

    // A builder that keeps a context takes a file of the same size and time for unchanged, and of a directory whose mode
    // alone changed it keeps the digest (https://github.com/moby/buildkit/issues/4817).
    it("comes from the build context as it is, and not as it was in the build before", async () => {
      const base = await tinyBase(site.registry);
      // The oldest client gives directories no names.
      const isNamed = generation !== 20;
      const mounted = isNamed ? "RUN --mount=from=named,target=/mnt cp -a /mnt /named\n" : "";
      const files = { Dockerfile: `FROM ${base}\nCOPY d /x\nRUN cat /x/f > /made\n${mounted}`, "d/f": "one\n" };
      const folder = await site.context("kept-context", files);
      const flagsIn = (place: string) => (isNamed ? ["--build-context", `named=${place}/d`] : []);
      const [file, directory] = [join(folder, "d/f"), join(folder, "d/e")];
      await mkdir(directory, { mode: 0o555 });
      await utimes(file, 1_700_000_000, 1_700_000_000);
      const reference = `${site.registry.name}/kept-context:1`;
      await site.build(["--tag", reference, ...flagsIn(folder), folder]);
      await writeFile(file, "two\n");
      await utimes(file, 1_700_000_000, 1_700_000_000);
      await chmod(directory, 0o711);

      const { report } = await site.build(["--tag", reference, ...flagsIn(folder), folder]);

      expect(report.route).toBe("engine");
      const elsewhere = join(site.work, "kept-context-elsewhere");
      await cp(folder, elsewhere, { recursive: true, preserveTimestamps: true });
      await site.engineBuild([...flagsIn(elsewhere), elsewhere], `${site.registry.name}/kept-context-truth:1`);
      expect(await site.differences(reference, `${site.registry.name}/kept-context-truth:1`)).toEqual([]);
    });

    it("leaves no image behind that nobody asked for", async () => {
      const base = await tinyBase(site.registry);
      const folder = await site.context("behind", { Dockerfile: `FROM ${base}\nRUN echo behind > /made\n` });

      await site.build(["--tag", `${site.registry.name}/behind:1`, folder]);

      const images = await site.engine?.exec(["docker", "images", "--all", "--format", "{{.Repository}}:{{.Tag}}"]);
      expect(images?.stdout).not.toMatch(/behind|<none>/);
    });
  });
}

describe("Docker 28 with the containerd store", () => {
  it("sees what differs between two images, in their files and in what a program says", async () => {
    const site = await openSite({ generation: 28, store: "containerd" });
    const base = await tinyBase(site.registry);
    const names = ["1", "2"].map((value) => `${site.registry.name}/seen:${value}`) as [string, string];
    for (const [index, name] of names.entries()) {
      const text = `FROM ${base}\nENV SEEN=${index}\nCOPY a /a\n`;
      await site.build(["--tag", name, await site.context(`seen-${index}`, { Dockerfile: text, a: `${index}` })]);
    }
    const [one, other] = names;

    const same = await viewDifferences(site.engine as Engine, { one, other: one, runs: true });
    const lines = await viewDifferences(site.engine as Engine, { one, other, runs: true });

    await site.close();
    expect(same).toEqual([]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^in a container, \/a: content /);
    expect(lines[1]).toMatch(/^a container says:\nuid=0[\s\S]*SEEN=0\n[\s\S]*exit code 0\nand not:\n[\s\S]*SEEN=1\n/);
  });

  it("does not pull a large base for layers that need none of it", async () => {
    const site = await openSite({ generation: 28, store: "containerd" });
    const [tools, large] = [await tinyBase(site.registry), await pythonBase(site.registry)];
    const text = `FROM ${tools} AS tools\nRUN echo tool > /tool\nFROM ${large}\nCOPY --link --from=tools /tool /opt/tool\n`;
    const folder = await site.context("links", { Dockerfile: text });
    const before = await site.engine?.bytes();

    const { report } = await site.build(["--tag", `${site.registry.name}/links:1`, folder]);

    const received = ((await site.engine?.bytes())?.received ?? 0) - (before?.received ?? 0);
    await expectSound(site, `${site.registry.name}/links:1`);
    await site.close();
    expect(report.route).toBe("engine");
    expect(report.image.bytes).toBeGreaterThan(80_000_000);
    expect(received).toBeLessThan(10_000_000);
  });
});
