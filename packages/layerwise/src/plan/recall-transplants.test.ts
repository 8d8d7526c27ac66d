// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { amd64, draft } from "../../test/draft.ts";
import { dir, file } from "../../test/layer-entries.ts";
import { createMemoryRegistry, type MemoryRepository } from "../../test/memory-repository.ts";
import type { Event } from "../event.ts";
import { checkpointTag, emptyContent } from "../spec/checkpoint.ts";
import { compressDocument } from "../spec/compression.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { chainIdOf } from "../spec/image-config.ts";
import { groupByDirectory, type LayerFiles } from "../spec/layer-files.ts";
import { mediaTypes } from "../spec/media-type.ts";
import {
  encodeTransplant,
  encodeTransplantManifest,
  sourcePath,
  type TransplantDocument,
  transplantMediaType,
} from "../spec/transplant-document.ts";
import type { Chain } from "./chain.ts";
import type { Recalled } from "./recall.ts";
import { recallTransplants } from "./recall-transplants.ts";
import { transplantKey } from "./transplant.ts";

const dockerfile = "FROM base AS web\nRUN build\nFROM base\nCOPY a /a\nCOPY --from=web /dist /dist";
const { chain, chains } = draft({ dockerfile, files: { a: "a" } });
const step = chain.steps[1] as Chain["steps"][number];
const key = transplantKey(step, amd64)?.digest as Digest;

const files: LayerFiles = {
  diffId: digestOf("layer"),
  directories: groupByDirectory([dir("dist", 0o755), file("dist/page")]),
  texts: new Map(),
};
const selected = [dir(sourcePath, 0o755), file(`${sourcePath}/page`)];
const source = [digestOf("layer of the base"), digestOf("layer of the RUN")];
const document: TransplantDocument = {
  layer: files,
  from: chainIdOf(source) ?? "",
  sources: [{ word: "/dist", name: "dist", directories: groupByDirectory(selected) }],
};

describe("recallTransplants", () => {
  it("finds what was recorded", async () => {
    const { found, refused } = await recalled({});

    const transplant = found?.get(step.step);
    expect(transplant?.descriptor.mediaType).toBe(mediaTypes.oci.layer.gzip);
    expect(transplant?.files.diffId).toBe(files.diffId);
    expect(transplant?.sources.map(({ name, below }) => [name, below.map(({ path }) => path)])).toEqual([
      ["dist", ["page"]],
    ]);
    expect(refused).toEqual([]);
  });

  it("finds nothing where nothing was recorded", async () => {
    expect(await recalled({ tag: "another" })).toEqual({ found: undefined, refused: [] });
  });

  it.each([0, undefined])("finds nothing if the last checkpoint of the source is not used", async (position) => {
    expect(await recalled({ position })).toEqual({ found: undefined, refused: [] });
  });

  it("finds nothing if the source was executed again since", async () => {
    const diffIds = [digestOf("layer of the base"), digestOf("another layer of the RUN")];

    expect(await recalled({ diffIds })).toEqual({ found: undefined, refused: [] });
  });

  it.each([
    ["has another key", { says: digestOf("other") }, "it says another key than its tag"],
    ["is another document", { mediaType: "application/json" }, "it is no transplant"],
    ["is damaged", { bytes: compressDocument(Buffer.from("[]")) }, "could not read the transplant of"],
    ["is no gzip", { bytes: Buffer.from("no gzip") }, "could not decompress a document"],
    ["has no layer any more", { isLayerThere: false }, "is not in memory.example/app"],
    [
      "selects what cannot be copied",
      {
        sources: [
          {
            word: "/dist",
            name: "dist",
            directories: groupByDirectory([...selected, { kind: "whiteout" as const, path: `${sourcePath}/x` }]),
          },
        ],
      },
      "it does not say what was copied",
    ],
  ])("refuses a document that %s, and says so", async (_, changed, why) => {
    const { found, refused } = await recalled(changed);

    expect(found).toBeUndefined();
    expect(refused).toEqual([expect.stringContaining(why)]);
  });
});

interface Changed {
  readonly tag?: string;
  readonly says?: Digest;
  readonly mediaType?: string;
  readonly bytes?: Uint8Array;
  readonly sources?: TransplantDocument["sources"];
  readonly isLayerThere?: boolean;
  readonly position?: number | undefined;
  readonly diffIds?: readonly Digest[];
}

async function recalled(changed: Changed) {
  const cache = createMemoryRegistry().repository("app");
  await record(cache, changed);
  const position = "position" in changed ? changed.position : 1;
  const refused: string[] = [];
  const emit = (event: Event) => {
    if (event.kind === "checkpoint-refused") refused.push(event.why);
  };
  const checkpoint = { config: { diffIds: changed.diffIds ?? source } } as Recalled["checkpoint"];
  const recall = async () => (position === undefined ? undefined : { position, checkpoint });
  return { found: await recallTransplants(chain.steps, { cache, chain, chains, recall, emit }), refused };
}

async function record(
  cache: MemoryRepository,
  { tag = checkpointTag(key), says = key, mediaType = transplantMediaType, isLayerThere = true, ...changed }: Changed,
): Promise<void> {
  const sources = changed.sources ?? document.sources;
  const bytes = changed.bytes ?? compressDocument(encodeTransplant({ ...document, sources }));
  const layer = put(cache, mediaTypes.docker.layer.gzip, Buffer.from("layer"));
  put(cache, "", emptyContent);
  const written = encodeTransplantManifest(says, { document: put(cache, transplantMediaType, bytes), layer });
  const manifest = Buffer.from(
    Buffer.from(written)
      .toString("utf8")
      .replaceAll(`"mediaType":"${transplantMediaType}"`, `"mediaType":"${mediaType}"`),
  );
  const stored = { mediaType: mediaTypes.oci.manifest, digest: digestOf(manifest), bytes: manifest };
  await cache.pushManifest(tag, stored);
  if (!isLayerThere) cache.blobs.delete(layer.digest);
}

function put(cache: MemoryRepository, mediaType: string, bytes: Uint8Array): Descriptor {
  const digest = digestOf(bytes);
  cache.blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}
