// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type RegistryRequest, tinyBase } from "../../../lab/src/index.ts";
import { openRawRepository } from "./raw-repository.ts";
import { familyTypes, fetchConfig, fetchManifest } from "./registry-documents.ts";
import { openSite } from "./site.ts";
import { expectSound } from "./sound-image.ts";

const site = await openSite(undefined);
afterAll(async () => await site.close());
const base = await tinyBase(site.registry);
const files = { Dockerfile: `FROM ${base}\nCOPY . /app/\nLABEL kind=own\nCMD ["cat", "/app/a"]\n`, a: "1" };

describe("tags", () => {
  it("come last, after everything that they name is in all repositories", async () => {
    const folder = await site.context("tags", files);
    const { name } = site.registry;
    const tags = ["one:c1", "two:c1", "one:latest"].map((tag) => `${name}/tags-${tag}`);
    const mark = await site.registry.mark();

    const { report } = await site.build([...tags.flatMap((tag) => ["--tag", tag]), "--checkpoints", "none", folder]);

    expect(await site.tags("tags-one")).toEqual(["c1", "latest"]);
    expect(await site.tags("tags-two")).toEqual(["c1"]);
    expect([...report.image.references].sort()).toEqual([...tags].sort());
    for (const tag of tags) await expectSound(site, tag);
    const writes = (await site.registry.requests(mark)).filter(isWrite);
    const firstTag = writes.findIndex(({ path }) => /\/manifests\/(?:c1|latest)$/.test(path));
    const before = writes.slice(0, firstTag).map(({ path }) => path);
    for (const repository of ["tags-one", "tags-two"]) {
      expect(before).toContain(`/v2/${repository}/manifests/${report.image.digest}`);
    }
    const after = writes.slice(firstTag);
    expect(after.map(({ path }) => path)).toEqual(
      ["one/manifests/c1", "one/manifests/latest", "two/manifests/c1"].map((path) => `/v2/tags-${path}`),
    );
  });

  it("of repositories beside each other share blobs by mounting", async () => {
    const folder = await site.context("mounted", { ...files, a: "mounted" });
    const references = ["one", "two"].map((one) => `${site.registry.name}/mounted-${one}:1`);

    const { report } = await site.build([...references.flatMap((tag) => ["--tag", tag]), folder]);

    expect(report.route).toBe("assemble");
    expect(report.blobs.mounted.count).toBeGreaterThan(0);
    for (const reference of references) await expectSound(site, reference);
  });

  it("by content are the same for the same inputs, and other ones for others", async () => {
    const folder = await site.context("content", files);
    const repository = `${site.registry.name}/content`;
    const build = async (...flags: string[]) => {
      const { report } = await site.build(["--tag-by-content", "--tag", `${repository}:latest`, ...flags, folder]);
      return report.image.contentTag ?? "";
    };

    const first = await build();
    const same = await build();
    const labelled = await build("--label", "a=b");
    await site.context("content", { a: "2" });
    const changed = await build();

    expect(same).toBe(first);
    expect(new Set([first, labelled, changed]).size).toBe(3);
    expect(await site.tags("content")).toEqual([first, labelled, changed, "latest"].sort());
    expect(await fetchConfig(site, "content", changed)).toEqual(await fetchConfig(site, "content", "latest"));
    await expectSound(site, `${repository}:${first}`);
  });
});

describe.each(familyTypes)("on a base of the family $family, an image", ({ family, ...types }) => {
  it("is a single manifest with the base's media types, whichever way it came to be", async () => {
    const from = await tinyBase(site.registry, { repository: `base-${family}`, family });
    const folder = await site.context(`family-${family}`, { ...files, Dockerfile: `FROM ${from}\nCOPY a /a\n` });
    const repository = `family-${family}`;
    const routes: string[] = [];

    for (const tag of ["made", "again"]) {
      const { report } = await site.build(["--tag", `${site.registry.name}/${repository}:${tag}`, folder]);
      routes.push(report.route);
    }

    expect(routes).toEqual(["assemble", "reuse"]);
    for (const tag of ["made", "again"]) {
      const manifest = (await fetchManifest(site, repository, tag)).manifest;
      expect([manifest.mediaType, manifest.config.mediaType]).toEqual([types.manifest, types.config]);
      expect(new Set(manifest.layers.map(({ mediaType }) => mediaType))).toEqual(new Set([types.layer]));
      expect(manifest.subject).toBeUndefined();
      await expectSound(site, `${site.registry.name}/${repository}:${tag}`);
    }
  });
});

describe("the files that other tools read", () => {
  it("have buildx's form", async () => {
    const folder = await site.context("results", { ...files, a: "results" });
    const reference = `${site.registry.name}/results:1`;
    const [metadata, iid] = [join(site.work, "metadata.json"), join(site.work, "iid")];

    const { report } = await site.build(["--tag", reference, "--metadata-file", metadata, "--iidfile", iid, folder]);

    const { bytes, digest, manifest } = await fetchManifest(site, "results", "1");
    const { config, mediaType } = manifest;
    expect(JSON.parse(await readFile(metadata, "utf8"))).toEqual({
      "containerimage.config.digest": config.digest,
      "containerimage.descriptor": { mediaType, digest, size: bytes.length },
      "containerimage.digest": digest,
      "image.name": reference,
    });
    expect(await readFile(iid, "utf8")).toBe(config.digest);
    expect(report.image).toMatchObject({ digest, config: config.digest, manifestSize: bytes.length, mediaType });
  });
});

it("adds labels to the config and annotations to the manifest, also to an image that is reused", async () => {
  const folder = await site.context("labels", { ...files, a: "labels" });
  const reference = `${site.registry.name}/labels`;
  const flags = ["--label", "kind=given", "--label", "empty", "--label", "url=https://a.example/?b=c"];

  await site.build(["--tag", `${reference}:plain`, folder]);
  const { report } = await site.build([
    "--tag",
    `${reference}:1`,
    ...flags,
    "--annotation",
    "org.example.a=b=c",
    folder,
  ]);

  expect(report.route).toBe("reuse");
  const { config } = await fetchConfig(site, "labels", "1");
  expect(config.Labels).toEqual({
    "org.example.kind": "tiny",
    kind: "given",
    empty: "",
    url: "https://a.example/?b=c",
  });
  expect((await fetchConfig(site, "labels", "plain")).config.Labels).toEqual({
    "org.example.kind": "tiny",
    kind: "own",
  });
  expect((await fetchManifest(site, "labels", "1")).manifest.annotations).toEqual({ "org.example.a": "b=c" });
  expect((await expectSound(site, `${reference}:1`)).Labels).toEqual(config.Labels);
});

it("is read by others when its site closes, and one that lost a layer is told", async () => {
  const other = await openSite(undefined);
  const from = await tinyBase(other.registry);
  const folder = await other.context("lost", { Dockerfile: `FROM ${from}\nCOPY a /a\n`, a: "lost" });
  const { report } = await other.build(["--tag", `${other.registry.name}/lost:1`, folder]);
  const { manifest } = await fetchManifest(other, "lost", "1");
  await openRawRepository(other.registry, "lost").deleteBlob(manifest.layers.at(-1)?.digest ?? "");

  const closed = other.close();

  await expect(closed).rejects.toThrow(`lost@${report.image.digest}: crane says: `);
});

function isWrite({ method, status }: RegistryRequest): boolean {
  return (method === "PUT" || method === "POST") && status < 300;
}
