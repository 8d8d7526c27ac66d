// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { draft } from "../../test/draft.ts";
import { createMemoryRegistry, type MemoryRepository } from "../../test/memory-repository.ts";
import { type Chain, checkpointPositions } from "../plan/chain.ts";
import { layerTimes } from "../plan/history-times.ts";
import { recallDeepest } from "../plan/recall.ts";
import type { ImageLayer } from "../produce/image.ts";
import { digestOf } from "../spec/digest.ts";
import { saveCheckpoints } from "./save-checkpoints.ts";

const emit = () => undefined;
const times = ["2026-01-02T03:04:05.000Z", "2026-01-02T03:04:06.000Z", "2026-01-02T03:04:07.000Z"];

describe("saveCheckpoints", () => {
  it("saves what a later build finds, with the times of its layers", async () => {
    const { chain } = draft({ dockerfile: "FROM base\nENV A=1\nRUN one\nWORKDIR /w\nRUN two" });

    const cache = await saved(chain);

    const policy = { noCache: false, stageNames: new Map(), notBefore: undefined };
    const found = await recallDeepest(chain, { cache, policy, emit });
    expect(found?.position).toBe(3);
    expect(found?.checkpoint.instruction).toBe("RUN two");
    expect(layerTimes(found?.checkpoint.config as NonNullable<typeof found>["checkpoint"]["config"]).slice(1)).toEqual(
      times,
    );
    expect([...cache.manifests.keys()].filter((name) => name.startsWith("lwcache-"))).toHaveLength(
      checkpointPositions(chain).length,
    );
  });

  it("shows instructions as written, and no value of a build argument", async () => {
    const dockerfile = "FROM base\nARG TOKEN\nRUN one\nWORKDIR /w\nRUN two $TOKEN";
    const { chain } = draft({ dockerfile, buildArgs: { TOKEN: "s3cret" } });

    const cache = await saved(chain);

    const texts = [...cache.blobs.values(), ...[...cache.manifests.values()].map(({ bytes }) => bytes)].map((bytes) =>
      Buffer.from(bytes).toString("latin1"),
    );
    expect(texts.some((text) => text.includes("RUN two $TOKEN"))).toBe(true);
    expect(texts.filter((text) => text.includes("s3cret"))).toEqual([]);
  });
});

/** A repository with the checkpoints of a chain that is no target's. */
async function saved(chain: Chain): Promise<MemoryRepository> {
  const cache = createMemoryRegistry().repository("app");
  const layers = ["base", ...chain.steps.keys()].map((name) => layer(`${name}`));
  // The layer of the base is the one that drafts have.
  const [lowest, ...others] = layers as [ImageLayer, ...ImageLayer[]];
  const diffId = chain.base?.config.diffIds[0] ?? lowest.diffId;
  await saveCheckpoints(
    {
      chain,
      layers: [{ ...lowest, diffId }, ...others],
      times: times.slice(0, chain.steps.length),
      from: 0,
      published: undefined,
      wantsFiles: false,
    },
    { cache, version: "1", now: 0, listed: new Map(), emit },
  );
  return cache;
}

function layer(name: string): ImageLayer {
  const bytes = Buffer.from(`layer ${name}`);
  const descriptor = {
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: digestOf(bytes),
    size: bytes.length,
  };
  return {
    diffId: digestOf(`uncompressed ${name}`),
    descriptor,
    source: {
      kind: "made",
      blob: {
        descriptor,
        async *open() {
          yield bytes;
        },
      },
    },
  };
}
