// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { createMemoryRegistry } from "../../test/memory-repository.ts";
import { checkpointTag, decodeCheckpointManifest, emptyContent, encodeCheckpoint } from "../spec/checkpoint.ts";
import { digestOf } from "../spec/digest.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { pruneCheckpoint } from "./prune-checkpoint.ts";
import { pushDocument } from "./push-blobs.ts";

const key = digestOf("key");
const tag = checkpointTag(key);

async function repositoryWithCheckpoint() {
  const repository = createMemoryRegistry().repository("app");
  const config = { mediaType: mediaTypes.oci.config, digest: digestOf(emptyContent), size: emptyContent.length };
  await pushDocument({ descriptor: config, bytes: emptyContent }, { to: repository });
  const parts = { key, instruction: "RUN x", created: 0, version: "1", layers: [], config, files: undefined };
  const bytes = encodeCheckpoint(parts);
  await repository.pushManifest(tag, { mediaType: mediaTypes.oci.manifest, digest: digestOf(bytes), bytes });
  return repository;
}

describe("pruneCheckpoint", () => {
  it("removes the manifest", async () => {
    const repository = await repositoryWithCheckpoint();

    expect(await pruneCheckpoint(repository, tag)).toBe("removed");
    expect(await repository.fetchManifest(tag)).toBeUndefined();
  });

  it("puts what is no checkpoint in its place where nothing can be removed", async () => {
    const repository = await repositoryWithCheckpoint();
    repository.removeManifest = async () => false;

    expect(await pruneCheckpoint(repository, tag)).toBe("overwritten");
    const left = await repository.fetchManifest(tag);
    const source = { key, mediaType: left?.mediaType ?? "", source: "app" };
    expect(decodeCheckpointManifest(left?.bytes ?? Buffer.from("{}"), source)).toBe("it does not say its key");
  });

  it("says that there is none", async () => {
    expect(await pruneCheckpoint(createMemoryRegistry().repository("app"), tag)).toBe("absent");
  });
});
