// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { startRegistry, treeBase } from "../../../lab/src/index.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { mediaTypes } from "../../src/spec/media-type.ts";
import { expectFailure } from "./expect-failure.ts";
import { openSite } from "./site.ts";

const site = await openSite(undefined);
const other = await startRegistry();
afterAll(async () => {
  await other.stop();
  await site.close();
});
const { registry } = site;
const base = await treeBase(registry);
const insecure = [registry, other].flatMap(({ name }) => ["--insecure-registry", name]);

/** The bytes of an image's manifest. */
async function manifestOf(reference: string): Promise<Buffer> {
  return (await site.image(reference)).documents[0]?.bytes ?? Buffer.alloc(0);
}

const copy = async (...args: readonly string[]) => await site.layerwise(["copy", ...insecure, ...args]);

it("mounts the blobs between repositories of a registry, moves all tags, and says the digest", async () => {
  const metadata = join(site.scratch, "metadata.json");
  const mark = await registry.mark();

  const to = `${registry.name}/promoted:prod`;
  const outcome = await copy(base, to, "-t", "latest", "--metadata-file", metadata);

  const requests = await registry.requests(mark);
  const digest = digestOf(await manifestOf(base));
  expect(outcome.stderr).not.toContain("uploaded");
  expect(outcome.stdout.toString("utf8")).toBe(`${digest}\n`);
  expect(await site.tags("promoted")).toEqual(["latest", "prod"]);
  expect(digestOf(await manifestOf(to))).toBe(digest);
  expect(requests.filter(({ path, method }) => method === "GET" && path.includes("/blobs/"))).toEqual([]);
  expect(JSON.parse(await readFile(metadata, "utf8"))).toMatchObject({
    "containerimage.digest": digest,
    "image.name": `${to},${registry.name}/promoted:latest`,
  });
});

it("streams to another registry, and again moves nothing", async () => {
  const to = `${other.name}/copied`;

  const first = await copy(base, to, "-t", "1");
  const mark = await registry.mark();
  const second = await copy(base, `${to}:2`);

  expect(first.exitCode, first.stderr).toBe(0);
  expect(second.stdout).toEqual(first.stdout);
  expect(await registry.requests(mark)).toHaveLength(1);
  expect(await site.flaws(`${to}:2`)).toEqual([]);
  expect(await site.differences(base, `${to}:2`)).toEqual([]);
});

it("copies an index with its images by digest", async () => {
  const manifest = await manifestOf(base);
  const [digest, size] = [digestOf(manifest), manifest.length];
  const platform = { os: "linux", architecture: "amd64" };
  const manifests = [{ mediaType: mediaTypes.docker.manifest, digest, size, platform }];
  const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.docker.index, manifests });
  const headers = { "content-type": mediaTypes.docker.index };
  const [repository = ""] = base.slice(registry.name.length + 1).split(":");
  await fetch(`http://${registry.name}/v2/${repository}/manifests/index`, { method: "PUT", headers, body: index });

  const outcome = await copy(`${registry.name}/${repository}@${digestOf(index)}`, `${other.name}/index`);

  expect(outcome.exitCode, outcome.stderr).toBe(0);
  expect(outcome.stdout.toString("utf8")).toBe(`${digestOf(index)}\n`);
  const stored = await fetch(`http://${other.name}/v2/index/manifests/${digestOf(index)}`, {
    headers: { accept: mediaTypes.docker.index },
  });
  expect(await stored.text()).toBe(index);
});

it.each([
  [["registry.invalid/a", "registry.invalid/b", "c"], "USAGE", "too many arguments"],
  [["A", "b"], "REFERENCE_INVALID", '"A"'],
  [[`${registry.name}/absent:1`, `${registry.name}/b`], "REGISTRY_NOT_FOUND", "absent:1"],
  [[`${registry.name}/a`, `${registry.name}/b@sha256:${"0".repeat(64)}`], "USAGE", "could not copy to"],
  [[`${registry.name}/a`, `${registry.name}/b`, "-t", "c:d"], "USAGE", "c:d as a tag"],
] as const)("refuses %j", async (args, code, says) => {
  expectFailure(await copy(...args), { code, says: [says] });
});
