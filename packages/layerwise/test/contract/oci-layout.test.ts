// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Repository, StoredManifest } from "../../src/ports.ts";
import { digestOf, hexOf } from "../../src/spec/digest.ts";
import { encodeManifest } from "../../src/spec/manifest.ts";
import { mediaTypes } from "../../src/spec/media-type.ts";
import { readAll } from "../../src/spec/verified.ts";
import { openLayout } from "../../src/system/oci-layout.ts";
import { temporaryFolder } from "../open-repositories.ts";
import { bundleProgram, type Program } from "../run-program.ts";
import { blobOf } from "./sample-blob.ts";

let program: Program;
beforeAll(async () => {
  program = await bundleProgram("tag-layout");
});
afterAll(() => program.remove());

describe("an OCI layout", () => {
  it("has the files that the specification wants, and no others", async () => {
    const { directory, layout } = await start();
    const manifest = await pushedImage(layout);

    await layout.pushManifest("latest", manifest);

    expect((await readdir(directory)).sort()).toEqual(["blobs", "index.json", "oci-layout"]);
    expect(await readFile(join(directory, "oci-layout"), "utf8")).toBe('{"imageLayoutVersion":"1.0.0"}');
    expect(await readdir(join(directory, "blobs"))).toEqual(["sha256"]);
    expect((await readdir(join(directory, "blobs", "sha256"))).sort()).toEqual(
      [manifest.digest, digestOf("{}")].map(hexOf).sort(),
    );
    expect(JSON.parse(await readFile(join(directory, "index.json"), "utf8"))).toEqual({
      schemaVersion: 2,
      mediaType: mediaTypes.oci.index,
      manifests: [
        {
          mediaType: manifest.mediaType,
          digest: manifest.digest,
          size: manifest.bytes.length,
          annotations: { "org.opencontainers.image.ref.name": "latest" },
        },
      ],
    });
  });

  it("keeps entries and fields of other programs", async () => {
    const { directory, layout } = await start();
    const foreign = {
      mediaType: "x",
      digest: "sha512:ab",
      size: 1,
      artifactType: "y",
      annotations: { name: "theirs" },
    };
    await mkdir(directory, { recursive: true });
    await writeFile(
      join(directory, "index.json"),
      JSON.stringify({ schemaVersion: 2, extra: 1, manifests: [foreign] }),
    );
    const manifest = await pushedImage(layout);

    await layout.pushManifest("latest", manifest);

    const index = JSON.parse(await readFile(join(directory, "index.json"), "utf8"));
    expect(index).toMatchObject({ extra: 1, manifests: [foreign, { digest: manifest.digest }] });
  });

  it("loses no tag when processes write at the same time", { timeout: 60_000 }, async () => {
    const { directory, layout } = await start();

    await Promise.all(["a", "b", "c"].map((prefix) => program.run(directory, prefix, "15")));

    const tags = ["a", "b", "c"].flatMap((prefix) => Array.from({ length: 15 }, (_, index) => `${prefix}-${index}`));
    const found = await Promise.all(tags.map((tag) => layout.fetchManifest(tag)));
    expect(found).not.toContain(undefined);
    expect((await readdir(directory)).sort()).toEqual(["blobs", "index.json", "oci-layout"]);
  });

  it("takes away a lock that was left behind", async () => {
    const { directory, layout } = await start();
    const manifest = await pushedImage(layout);
    const lock = join(directory, "index.json.lock");
    await writeFile(lock, "a process that was killed");
    const longAgo = Date.now() / 1000 - 60;
    await utimes(lock, longAgo, longAgo);

    await layout.pushManifest("latest", manifest);

    expect(await layout.fetchManifest("latest")).toBeDefined();
    expect(await readdir(directory)).not.toContain("index.json.lock");
  });

  it("waits for a lock that another process holds, until it is cancelled", async () => {
    const { directory, layout } = await start();
    const manifest = await pushedImage(layout);
    await writeFile(join(directory, "index.json.lock"), "a process that is alive");

    const pushing = layout.pushManifest("latest", manifest, { signal: AbortSignal.timeout(50) });

    await expect(pushing).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await layout.fetchManifest("latest")).toBeUndefined();
  });

  it("leaves nothing behind when a blob is wrong", async () => {
    const { directory, layout } = await start();
    const blob = { ...blobOf("right"), open: blobOf("wrong").open };

    const pushing = layout.pushBlob(blob);

    await expect(pushing).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(await readdir(join(directory, "blobs", "sha256"))).toEqual([]);
  });

  it("lets an error of a blob's reader through, even one of another disk", async () => {
    const { layout } = await start();
    const open = () => createReadStream("/nonexistent/file");

    const pushing = layout.pushBlob({ ...blobOf("content"), open });

    await expect(pushing).rejects.toMatchObject({ code: "ENOENT", path: "/nonexistent/file" });
  });

  it("notices that a blob was damaged on the disk", async () => {
    const { directory, layout } = await start();
    const blob = blobOf("content");
    await layout.pushBlob(blob);
    await writeFile(join(directory, "blobs", "sha256", hexOf(blob.descriptor.digest)), "CONTENT");

    const reading = readAll(layout.fetchBlob(blob.descriptor), 100);

    await expect(reading).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  it("notices that a manifest was damaged on the disk", async () => {
    const { directory, layout } = await start();
    const manifest = await pushedImage(layout);
    await layout.pushManifest("latest", manifest);
    await writeFile(join(directory, "blobs", "sha256", hexOf(manifest.digest)), "{}");

    const reading = layout.fetchManifest("latest");

    await expect(reading).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  it("writes a blob again that has another size on the disk than it should", async () => {
    const { directory, layout } = await start();
    const blob = blobOf("content");
    await layout.pushBlob(blob);
    await writeFile(join(directory, "blobs", "sha256", hexOf(blob.descriptor.digest)), "half");

    await layout.pushBlob(blob);

    expect((await readAll(layout.fetchBlob(blob.descriptor), 100)).length).toBe(7);
  });

  it.each(["no json", "[]", '{"schemaVersion":1,"manifests":[]}'])("refuses an index that holds %s", async (text) => {
    const { directory, layout } = await start();
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "index.json"), text);

    const fetching = layout.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
  });

  it("says DISK when the directory cannot be written", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    const layout = openLayout(file);

    const pushing = layout.pushBlob(blobOf("content"));

    await expect(pushing).rejects.toMatchObject({
      code: "DISK",
      message: expect.stringContaining(`could not use oci-layout:${file}: `),
    });
  });

  it("may be removed and made again", async () => {
    const { directory, layout } = await start();
    await layout.pushManifest("latest", await pushedImage(layout));
    await rm(directory, { recursive: true });

    await layout.pushManifest("latest", await pushedImage(layout));

    expect(await layout.fetchManifest("latest")).toBeDefined();
  });
});

async function start() {
  const directory = join(await temporaryFolder(), "layout");
  return { directory, layout: openLayout(directory) };
}

async function pushedImage(layout: Repository): Promise<StoredManifest> {
  const config = blobOf("{}");
  await layout.pushBlob(config);
  const mediaType = mediaTypes.oci.manifest;
  const bytes = encodeManifest({ mediaType, config: config.descriptor, layers: [] });
  return { mediaType, digest: digestOf(bytes), bytes };
}
