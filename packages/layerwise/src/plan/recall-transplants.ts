// SPDX-License-Identifier: Apache-2.0
import type { Emit } from "../event.ts";
import type { CallOptions, Repository } from "../ports.ts";
import { checkpointTag } from "../spec/checkpoint.ts";
import { decompressDocument } from "../spec/compression.ts";
import type { Digest } from "../spec/digest.ts";
import { chainIdOf } from "../spec/image-config.ts";
import { decodeTransplant, decodeTransplantManifest } from "../spec/transplant-document.ts";
import { readAll } from "../spec/verified.ts";
import type { Chain, ChainStep } from "./chain.ts";
import { type Recalled, unlessDamaged } from "./recall.ts";
import { openSource } from "./select-in-layers.ts";
import type { Step } from "./step.ts";
import { mayTransplant, type Transplant, transplantKey } from "./transplant.ts";

/** Most bytes of a document, compressed and not; a hundred thousand files are about 2 and 10 MB. */
const maxDocumentBytes = 16 * 1024 * 1024;
const maxDocumentText = 128 * 1024 * 1024;

/** What finding transplants needs. */
export interface RecallingTransplants extends CallOptions {
  readonly cache: Repository;
  readonly chains: ReadonlyMap<number, Chain>;
  /** Finds the deepest checkpoint of a chain that may be used. */
  readonly recall: (chain: Chain) => Promise<Recalled | undefined>;
  readonly emit: Emit;
}

/**
 * Finds a recorded layer for each COPY --from among the steps that are left of a chain; undefined if one has none.
 * Where the source is a stage, the layer must have been copied from the very layers that its last checkpoint has, and
 * that must be usable: who wants to have the source made again, or has taken its checkpoint away, does not get its files
 * back through a layer, and all that is taken over from a stage is of one execution.
 */
export async function recallTransplants(
  left: readonly ChainStep[],
  { chains, recall, ...around }: RecallingTransplants & { readonly chain: Chain },
): Promise<ReadonlyMap<Step, Transplant> | undefined> {
  const found = await Promise.all(
    left.map(async (one) => {
      const { step } = one;
      if (!mayTransplant(step)) return [];
      const source = step.from.kind === "stage" ? (chains.get(step.from.stage) as Chain) : undefined;
      const isStored = source === undefined || source.steps.length === 0;
      const [whole, transplant] = await Promise.all([
        isStored ? undefined : recall(source),
        recallTransplant(one, around),
      ]);
      const isFrom = isStored || (transplant !== undefined && wholeChain(source, whole) === transplant.from);
      return [[step, isFrom ? transplant : undefined] as const];
    }),
  );
  const transplants = new Map<Step, Transplant>();
  for (const [step, transplant] of found.flat()) {
    if (transplant === undefined) return undefined;
    transplants.set(step, transplant);
  }
  return transplants;
}

/** The chain ID of all layers of a stage that has steps; undefined if no checkpoint has them all. */
function wholeChain({ steps }: Chain, found: Recalled | undefined): string | undefined {
  return found?.position === steps.length ? chainIdOf(found.checkpoint.config.diffIds) : undefined;
}

type Around = Omit<RecallingTransplants, "chains" | "recall"> & { readonly chain: Chain };

async function recallTransplant(one: ChainStep, { chain, ...around }: Around): Promise<Transplant | undefined> {
  const key = transplantKey(one, chain.platform)?.digest;
  if (key === undefined) return undefined;
  const tag = checkpointTag(key);
  const refuse = (why: string): undefined => void around.emit({ kind: "checkpoint-refused", tag, why });
  return await unlessDamaged(async () => {
    const found = await openTransplant({ key, tag }, around);
    return typeof found === "string" ? refuse(found) : found;
  }, refuse);
}

/** A text says why it must not be used. */
async function openTransplant(
  { key, tag }: { key: Digest; tag: string },
  { cache, signal }: Omit<Around, "chain">,
): Promise<Transplant | string | undefined> {
  const stored = await cache.fetchManifest(tag, { signal });
  if (stored === undefined) return undefined;
  const source = `${cache.name}:${tag}`;
  const blobs = decodeTransplantManifest(stored.bytes, { key, mediaType: stored.mediaType, source });
  if (typeof blobs === "string") return blobs;
  if (blobs.document.size > maxDocumentBytes) return `it is longer than ${maxDocumentBytes} bytes`;
  const [bytes, isThere] = await Promise.all([
    readAll(cache.fetchBlob(blobs.document, { signal }), maxDocumentBytes),
    cache.hasBlob(blobs.layer.digest, { signal }),
  ]);
  if (!isThere) return `its layer ${blobs.layer.digest} is not in ${cache.name}`;
  const { layer, from, sources } = decodeTransplant(decompressDocument(bytes, maxDocumentText), source);
  const selected = sources.map(openSource).filter((one) => one !== undefined);
  if (selected.length < sources.length) return "it does not say what was copied";
  return { descriptor: blobs.layer, repository: cache, files: layer, from, sources: selected };
}
