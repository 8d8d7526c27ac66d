// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Credentials, type RegistryRequest, tinyBase } from "../../../lab/src/index.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { type EcrStandIn, startEcr } from "./ecr-stand-in.ts";
import type { ManifestDocument } from "./registry-documents.ts";
import { openSite, type Site } from "./site.ts";

const standIn = new URL("../../dist/bundle/layerwise-docker.js", import.meta.url).pathname;
const cdkAssets = new URL("../../../../node_modules/cdk-assets/bin/cdk-assets", import.meta.url).pathname;
const auth: Credentials = { user: "AWS", password: "token-of-the-day" };

/** Smallest size of a blob that counts as a layer. */
const layerBytes = 100_000;

describe("cdk-assets with layerwise in docker's place", () => {
  let site: Site;
  let ecr: EcrStandIn;
  let node: string;
  let base: string;

  beforeAll(async () => {
    site = await openSite({ generation: 28, store: "containerd" }, { auth });
    ecr = await startEcr(site.registry);
    base = await tinyBase(site.registry);
    // Programs that start with #!/usr/bin/env node need one on PATH, and nothing else shall be there.
    node = await site.folder(".node");
    await symlink(process.execPath, join(node, "node"));
  });
  afterAll(async () => {
    await ecr.close();
    await site.close();
  });

  /** Writes a cloud assembly with one image, as CDK synthesizes it. */
  async function assembly(
    name: string,
    hash: string,
    { source, repositoryName = "assets" }: AssetOptions,
  ): Promise<string> {
    const dockerfile = `FROM ${base}\nCOPY requirements.txt .\nRUN dd if=/dev/urandom of=/packages bs=1k count=200\nCOPY src /src\nCMD ["cat", "/src/app"]\n`;
    const folder = await site.context(join(name, `asset.${hash}`), {
      Dockerfile: dockerfile,
      "requirements.txt": "none\n",
      "src/app": source,
    });
    const image = {
      displayName: "Image",
      source: {
        directory: `asset.${hash}`,
        dockerBuildArgs: { UNUSED: "1" },
        platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`,
      },
      destinations: { current: { repositoryName, imageTag: hash, region: "eu-west-1" } },
    };
    const manifest = join(folder, "..", "Stack.assets.json");
    await writeFile(manifest, JSON.stringify({ version: "36.0.0", files: {}, dockerImages: { [hash]: image } }));
    return manifest;
  }

  interface AssetOptions {
    readonly source: string;
    readonly repositoryName?: string;
  }

  interface Machine {
    readonly name: string;
    readonly hasEngine: boolean;
    readonly cacheRepo: string;
  }

  /** Publishes with the real program; gives what it said and what the registry saw. */
  async function publish(manifest: string, { name, hasEngine, cacheRepo }: Machine) {
    const home = await site.folder(name);
    const mark = await site.registry.mark();
    const env = {
      ...ecr.env,
      PATH: hasEngine ? `${node}:${site.engine?.shim}:/usr/bin:/bin:/usr/sbin:/sbin` : node,
      HOME: home,
      // The laboratory's engine has a home of its own.
      DOCKER_CONFIG: join(home, ".docker"),
      TMPDIR: site.scratch,
      CDK_DOCKER: standIn,
      LAYERWISE_STORE: join(home, "store"),
      LAYERWISE_INSECURE_REGISTRY: site.registry.name,
      ...(cacheRepo === "" ? {} : { LAYERWISE_CACHE_REPO: `${site.registry.name}/${cacheRepo}` }),
    };
    const args = [cdkAssets, "--path", manifest, "--verbose", "publish"];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env, cwd: home });
    return { said: stdout + stderr, requests: await site.registry.requests(mark) };
  }

  it("publishes with an engine, and after a source change without one, moving only the changed layer", async () => {
    const first = await publish(await assembly("one", "1".repeat(64), { source: "1\n" }), {
      name: "machine-1",
      hasEngine: true,
      cacheRepo: "cache",
    });
    const second = await publish(await assembly("two", "2".repeat(64), { source: "2\n".repeat(layerBytes) }), {
      name: "machine-2",
      hasEngine: false,
      cacheRepo: "cache",
    });

    expect(first.said).toContain("engine");
    expect(await site.tags("assets")).toEqual(expect.arrayContaining(["1".repeat(64), "2".repeat(64)]));
    const layers = await layersOf(site, "2".repeat(64));
    expect(await layersOf(site, "1".repeat(64))).toEqual([...layers.slice(0, -1), expect.any(String)]);
    // Into the repository of checkpoints, from where the assets' mounts it; all other layers are there.
    expect(uploads(second.requests).filter((digest) => layers.includes(digest))).toEqual([layers.at(-1)]);
    expect(fetchedLayers(second.requests)).toEqual([]);
    expect(second.said).not.toContain(auth.password);
    expect(await site.flaws(`${site.registry.name}/assets:${"2".repeat(64)}`)).toEqual([]);
  });

  it("goes on from the store without a cache repository, and knows what it has built", async () => {
    const machine = { name: "machine-3", cacheRepo: "" };
    const manifest = await assembly("three", "3".repeat(64), { source: "3\n" });
    await publish(manifest, { ...machine, hasEngine: true });

    const changed = { source: "4\n" };
    const { said } = await publish(await assembly("four", "4".repeat(64), changed), { ...machine, hasEngine: false });
    // The same asset for another destination: the image is built, and its layers are near.
    const again = await assembly("four", "4".repeat(64), { ...changed, repositoryName: "more-assets" });
    const cached = await publish(again, { ...machine, hasEngine: false });

    expect(said).toContain("assemble");
    expect(cached.said).toContain("Cached cdkasset-");
    expect(uploads(cached.requests)).toEqual([]);
    const { tree } = await site.contents(`${site.registry.name}/assets:${"4".repeat(64)}`);
    expect(tree.get("src/app")?.content).toBe(digestOf("4\n"));
  });
});

/** The digests of an asset's layers. */
async function layersOf(site: Site, tag: string): Promise<readonly string[]> {
  const { documents } = await site.image(`${site.registry.name}/assets:${tag}`);
  const { layers } = JSON.parse(String(documents.find(({ what }) => what === "manifest")?.bytes)) as ManifestDocument;
  return layers.map(({ digest }) => digest);
}

/** The digests of blobs that were uploaded, as often as they were. */
function uploads(requests: readonly RegistryRequest[]): readonly string[] {
  return requests.flatMap(({ method, path, status }) => {
    const digest = method === "PUT" && status === 201 ? /[?&]digest=([^&]+)/.exec(path)?.[1] : undefined;
    return digest === undefined ? [] : [decodeURIComponent(digest)];
  });
}

function fetchedLayers(requests: readonly RegistryRequest[]): readonly RegistryRequest[] {
  return requests.filter(
    ({ method, path, bytes }) => method === "GET" && path.includes("/blobs/") && bytes > layerBytes,
  );
}
