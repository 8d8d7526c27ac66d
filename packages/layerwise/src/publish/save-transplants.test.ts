// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { draft } from "../../test/draft.ts";
import { createMemoryRegistry, type MemoryRepository } from "../../test/memory-repository.ts";
import { archiveOf } from "../../test/tar-archive.ts";
import type { Chain } from "../plan/chain.ts";
import type { EngineWork, PlannedStages } from "../plan/plan.ts";
import type { Recalled } from "../plan/recall.ts";
import { recallTransplants } from "../plan/recall-transplants.ts";
import type { Ports } from "../ports.ts";
import type { ImageLayer } from "../produce/image.ts";
import type { MadeChain } from "../produce/match-layers.ts";
import { digestOf } from "../spec/digest.ts";
import { mediaTypes } from "../spec/media-type.ts";
import type { TarEntry } from "../spec/tar-header.ts";
import { saveTransplants } from "./save-transplants.ts";

type Entry = Pick<TarEntry, "path" | "kind" | "mode">;

const base = layerOf([directory("app"), file("app/main")]);
const built = layerOf([directory("dist"), file("dist/one"), file("dist/two")]);
const dockerfile = "FROM base AS web\nRUN build\nFROM base\nWORKDIR /app\nCOPY --from=web /dist /app/static";

it("records a layer that a later build finds", async () => {
  const { cache, made, saved } = await recorded([
    directory("app"),
    directory("app/static"),
    file("app/static/one"),
    file("app/static/two"),
  ]);

  const found = await recalled(made.target.chain, { cache, made });

  const [transplant] = found?.values() ?? [];
  expect(transplant?.descriptor).toEqual(made.target.layers[2]?.descriptor);
  expect(transplant?.sources[0]?.below.map(({ path }) => path)).toEqual(["one", "two"]);
  expect(saved).toContain("application/vnd.layerwise.transplant.v1+json+gzip");
});

it.each([
  ["left a file out", [directory("app"), directory("app/static"), file("app/static/one")]],
  ["copied somewhere else", [directory("static"), file("static/one"), file("static/two")]],
  [
    "gave a file another mode",
    [directory("app"), directory("app/static"), { ...file("app/static/one"), mode: 0o600 }, file("app/static/two")],
  ],
])("records no layer of an engine that %s", async (_, entries) => {
  const { cache, made } = await recorded(entries);

  expect(await recalled(made.target.chain, { cache, made })).toBeUndefined();
});

async function recorded(entries: readonly Entry[]) {
  const config = { diffIds: [base.diffId] };
  const { chain, evaluated } = draft({ dockerfile, base: config });
  const web = evaluated.chains.get(0) as Chain;
  const layers = [base, layerOf([]), layerOf(entries)];
  const made = {
    target: { chain, from: 0, layers, times: [] },
    stages: [{ chain: web, from: 0, layers: [base, built], times: [] }] satisfies readonly MadeChain[],
    work: { starts: new Map(), images: [] } as unknown as EngineWork,
    evaluated: evaluated satisfies PlannedStages,
    ports: {} as Ports,
  };
  const cache = createMemoryRegistry().repository("app");
  // The layers of the target are there when its checkpoints are.
  for (const { source } of layers) if (source.kind === "made") await cache.pushBlob(source.blob);
  await saveTransplants(made, { cache, version: "1", now: 0, listed: new Map(), emit: () => undefined });
  const texts = [...cache.manifests.values()].map(({ bytes }) => Buffer.from(bytes).toString("utf8"));
  return { cache, made, saved: texts.join("\n") };
}

async function recalled(
  chain: Chain,
  { cache, made }: { cache: MemoryRepository; made: Awaited<ReturnType<typeof recorded>>["made"] },
) {
  const checkpoint = { config: { diffIds: [base.diffId, built.diffId] } } as unknown as Recalled["checkpoint"];
  const recall = async () => ({ position: 1, checkpoint });
  const { chains } = made.evaluated;
  return await recallTransplants(chain.steps, { cache, chain, chains, recall, emit: () => undefined });
}

function layerOf(entries: readonly Entry[]): ImageLayer {
  const archive = archiveOf(entries.map((entry) => ({ entry: { ...entry, uid: 0, gid: 0, mtime: 0 } })));
  const bytes = gzipSync(archive);
  const descriptor = { mediaType: mediaTypes.oci.layer.gzip, digest: digestOf(bytes), size: bytes.length };
  const open = async function* () {
    yield bytes;
  };
  return { diffId: digestOf(archive), descriptor, source: { kind: "made", blob: { descriptor, open } } };
}

function directory(path: string): Entry {
  return { path, kind: "directory", mode: 0o755 };
}

function file(path: string): Entry {
  return { path, kind: "file", mode: 0o644 };
}
