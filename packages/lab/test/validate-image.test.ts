// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sha256 } from "../src/image/document.ts";
import {
  encodeTar,
  installPackages,
  mediaTypes,
  openArchiveImage,
  openLayoutImage,
  readContents,
  run,
  type TarItem,
  validateImage,
} from "../src/index.ts";

vi.setConfig({ testTimeout: 60_000 });

const items: readonly TarItem[] = [
  { path: "tmp/", type: "directory", mode: 0o1777 },
  { path: "tmp/file", type: "file", content: "text" },
];

/** Everything that can be wrong with an image of one layer; what is not given is right. */
interface Plan {
  readonly tar?: Buffer;
  readonly layer?: Buffer;
  readonly layerType?: string;
  readonly layerSize?: number;
  readonly diffIds?: readonly string[];
  readonly config?: Record<string, unknown>;
  readonly manifest?: Record<string, unknown>;
  readonly family?: "docker" | "oci";
}

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "layerwise-lab-image-"));
  await mkdir(join(folder, "blobs", "sha256"), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

async function blob(bytes: Buffer | object): Promise<{ digest: string; size: number }> {
  const content = Buffer.isBuffer(bytes) ? bytes : Buffer.from(JSON.stringify(bytes));
  await writeFile(join(folder, "blobs", sha256(content).replace(":", "/")), content);
  return { digest: sha256(content), size: content.length };
}

/** Writes an OCI layout. */
async function layout(plan: Plan = {}): Promise<string> {
  const types = mediaTypes[plan.family ?? "oci"];
  const tar = plan.tar ?? encodeTar(items);
  const layer = await blob(plan.layer ?? gzipSync(tar));
  const config = await blob({
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: plan.diffIds ?? [sha256(tar)] },
    history: [{ created_by: "one" }, { created_by: "two", empty_layer: true }],
    ...plan.config,
  });
  const manifest = await blob({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, ...config },
    layers: [{ mediaType: plan.layerType ?? types.layer, ...layer, size: plan.layerSize ?? layer.size }],
    ...plan.manifest,
  });
  const entry = { mediaType: types.manifest, ...manifest };
  await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return folder;
}

describe("a valid image", () => {
  it.each<readonly [string, Plan]>([
    ["OCI, gzip", {}],
    ["Docker, gzip", { family: "docker" }],
    ["not compressed", { layer: encodeTar(items), layerType: "application/vnd.oci.image.layer.v1.tar" }],
    ["without history", { config: { history: undefined } }],
  ])("has no problems: %s", async (_, plan) => {
    const image = await openLayoutImage(await layout(plan));

    expect(await validateImage(image, { completeFrom: 0 })).toEqual([]);
  });

  it("has no problems with zstd", async () => {
    await installPackages(["zstd"]);
    await writeFile(join(folder, "layer.tar"), encodeTar(items));
    await run(["zstd", "--quiet", "layer.tar"], { cwd: folder });
    const layer = await readFile(join(folder, "layer.tar.zst"));

    const image = await openLayoutImage(
      await layout({ layer, layerType: "application/vnd.oci.image.layer.v1.tar+zstd" }),
    );

    expect(await validateImage(image)).toEqual([]);
    expect([...(await readContents(image)).tree.keys()]).toEqual(["", "tmp", "tmp/file"]);
  });

  it("can be read from an archive of the layout", async () => {
    await layout();
    await run(["tar", "-cf", "image.tar", "index.json", "oci-layout", "blobs"], { cwd: folder });

    const image = await openArchiveImage(join(folder, "image.tar"));

    expect(await validateImage(image)).toEqual([]);
  });

  it("can be read from an archive of the older form, with a layer that is there as a link", async () => {
    const tar = encodeTar(items);
    const config = {
      os: "linux",
      architecture: "amd64",
      rootfs: { type: "layers", diff_ids: [sha256(tar), sha256(tar)] },
    };
    const name = `${sha256(JSON.stringify(config)).slice(7)}.json`;
    const manifest = [{ Config: name, RepoTags: ["some/name:tag"], Layers: ["one/layer.tar", "two/layer.tar"] }];
    await mkdir(join(folder, "one"));
    await writeFile(join(folder, "one/layer.tar"), tar);
    await writeFile(join(folder, name), JSON.stringify(config));
    await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
    await run(
      ["sh", "-c", `mkdir two; ln -s ../one/layer.tar two/layer.tar; tar -cf image.tar one two manifest.json ${name}`],
      { cwd: folder },
    );

    const image = await openArchiveImage(join(folder, "image.tar"), { tag: "tag" });

    expect(await validateImage(image)).toEqual([]);
    expect(image.layers).toHaveLength(2);
    await expect(openArchiveImage(join(folder, "image.tar"), { tag: "other" })).rejects.toThrow("could not choose");
  });
});

describe("validation finds", () => {
  const wrong = `sha256:${"0".repeat(64)}`;

  it.each<readonly [string, Plan, RegExp]>([
    ["a layer's size", { layerSize: 1 }, /^layer 0: its size is \d+, and not 1$/],
    ["a diff ID", { diffIds: [wrong] }, /^layer 0: its diff ID is sha256:\w+, and not sha256:0+$/],
    ["a layer without a diff ID", { diffIds: [] }, /^config: it has 0 diff IDs for 1 layers$/],
    ["a layer too few", { diffIds: [sha256(encodeTar(items)), wrong] }, /^config: it has 2 diff IDs for 1 layers$/],
    ["a history of another length", { config: { history: [] } }, /^config: its history has 0 layers, not 1$/],
    ["a missing platform", { config: { os: undefined } }, /^config: it does not name its platform$/],
    [
      "another kind of root file system",
      { config: { rootfs: { type: "x", diff_ids: [sha256(encodeTar(items))] } } },
      /^config: its root file system is x$/,
    ],
    [
      "a media type that is not the compression",
      { layerType: "application/vnd.oci.image.layer.v1.tar" },
      /^layer 0: its media type is .*tar, its compression gzip$/,
    ],
    [
      "a media type of something else",
      { layerType: "text/plain+gzip" },
      /^layer 0: its media type is text\/plain\+gzip/,
    ],
    ["a schema version", { manifest: { schemaVersion: 1 } }, /^manifest: its schema version is 1$/],
    [
      "a manifest that calls itself something else",
      { manifest: { mediaType: mediaTypes.docker.manifest } },
      /^manifest: it says of itself/,
    ],
    [
      "a Docker manifest that does not name itself",
      { family: "docker", manifest: { mediaType: undefined } },
      /^manifest: it says of itself that its media type is undefined/,
    ],
    ["a tar without its end", { tar: encodeTar(items).subarray(0, -1024) }, /^layer 0: it cannot be read: .*cut off$/],
    ["gzip that is cut off", { layer: gzipSync(encodeTar(items)).subarray(0, -9) }, /^layer 0: it cannot be read: /],
  ])("%s", async (_, plan, expected) => {
    const image = await openLayoutImage(await layout(plan));

    expect(await validateImage(image)).toEqual(expect.arrayContaining([expect.stringMatching(expected)]));
  });

  it.each(["index", "manifest", "config", "layer"])("a changed byte of its %s", async (what) => {
    await layout();
    const image = await openLayoutImage(folder);
    const digest = [...image.documents, ...image.layers].find((one) => ("what" in one ? one.what : "layer") === what)
      ?.claims.digest;
    // The index of a layout is not named by a digest; behind a registry's tag it is.
    const path = digest === undefined ? join(folder, "index.json") : join(folder, "blobs", digest.replace(":", "/"));
    await cp(path, `${path}.old`);
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.from(" ")]));

    const problems = await validateImage(await openLayoutImage(folder));

    if (digest === undefined) expect(problems).toEqual([]);
    else {
      expect(problems).toContainEqual(
        expect.stringMatching(new RegExp(`^${what}( 0)?: its digest is .* and not ${digest}$`)),
      );
      expect(problems).toContainEqual(expect.stringMatching(new RegExp(`^${what}( 0)?: its size is`)));
    }
  });

  it("an entry without its directory, in the layers that it is told of", async () => {
    const image = await openLayoutImage(await layout({ tar: encodeTar(items.slice(1)) }));

    expect(await validateImage(image, { completeFrom: 0 })).toEqual([
      "layer 0: tmp/file comes without an entry for tmp",
    ]);
    expect(await validateImage(image, { completeFrom: 1 })).toEqual([]);
  });
});

describe("choosing an image", () => {
  it("takes the one for the platform, and none of the attestations", async () => {
    await layout();
    const { manifests } = JSON.parse(await readFile(join(folder, "index.json"), "utf8"));
    const other = await blob({ schemaVersion: 2, other: true });
    const index = {
      schemaVersion: 2,
      manifests: [
        { ...other, mediaType: mediaTypes.oci.manifest, platform: { os: "linux", architecture: "arm" } },
        { ...manifests[0], platform: { os: "linux", architecture: "arm64" } },
        { ...other, mediaType: mediaTypes.oci.manifest, platform: { os: "unknown", architecture: "unknown" } },
      ],
    };
    await writeFile(join(folder, "index.json"), JSON.stringify(index));

    const image = await openLayoutImage(folder, { platform: { os: "linux", architecture: "arm64" } });

    expect(await validateImage(image)).toEqual([]);
    await expect(openLayoutImage(folder, { platform: { os: "linux", architecture: "s390x" } })).rejects.toThrow(
      "could not choose an image",
    );
  });

  it("takes the one with the tag, however it is written", async () => {
    await layout();
    const { manifests } = JSON.parse(await readFile(join(folder, "index.json"), "utf8"));
    const named = (name: string) => ({ ...manifests[0], annotations: { "org.opencontainers.image.ref.name": name } });
    const other = await blob({ schemaVersion: 2, other: true });
    const index = { schemaVersion: 2, manifests: [{ ...named("old"), ...other }, named("registry.example/app:new")] };
    await writeFile(join(folder, "index.json"), JSON.stringify(index));

    const image = await openLayoutImage(folder, { tag: "new" });

    expect(await validateImage(image)).toEqual([]);
  });
});
