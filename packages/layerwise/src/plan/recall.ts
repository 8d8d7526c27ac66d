// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, isLayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import type { CallOptions, Repository, StoredManifest } from "../ports.ts";
import { type Checkpoint, checkpointTag, decodeCheckpointManifest, joinCheckpoint } from "../spec/checkpoint.ts";
import type { Digest } from "../spec/digest.ts";
import { readAll } from "../spec/verified.ts";
import { type Chain, checkpointPositions } from "./chain.ts";
import { layerTimes } from "./history-times.ts";
import { emptyImageConfig } from "./stage-state.ts";

/** A checkpoint of a chain, and how many of the chain's steps it holds. */
export interface Recalled {
  readonly checkpoint: Checkpoint;
  readonly position: number;
}

/** Which checkpoints may be used. */
export interface RecallPolicy {
  /** True: none; names or numbers: none that holds a step of these stages. */
  readonly noCache: boolean | readonly string[];
  readonly stageNames: ReadonlyMap<number, string | undefined>;
  /** RUN layers made before this time (milliseconds since 1970) count as absent. */
  readonly notBefore: number | undefined;
}

/** Why a checkpoint is not used that `--refresh-after` rules out. */
export const tooOld = "a RUN in it is older than allowed";

/** How many checkpoints are asked for at once: the deepest is nearly always one of the last two. */
const batchSize = 2;

/** Most bytes of a config that are read; real ones have some kilobytes. */
export const maxConfigBytes: number = 4 * 1024 * 1024;

/** Finds the deepest checkpoint of a chain that can be used; undefined if there is none. */
export async function recallDeepest(chain: Chain, around: Recalling): Promise<Recalled | undefined> {
  const last = usableSteps(chain, around.policy);
  const positions = checkpointPositions(chain).filter((position) => position <= last);
  for (let end = positions.length; end > 0; end -= batchSize) {
    const batch = positions.slice(Math.max(0, end - batchSize), end).reverse();
    const candidates = await Promise.all(
      batch.map(async (position) => await fetchCandidate(chain, { position, ...around })),
    );
    for (const candidate of candidates) {
      if (candidate === undefined) continue;
      const recalled = await openCandidate(chain, { candidate, ...around });
      if (recalled !== undefined) return recalled;
    }
  }
  return undefined;
}

/** What recalling needs besides the chain. */
export interface Recalling extends CallOptions {
  readonly cache: Repository;
  readonly policy: RecallPolicy;
  readonly emit: Emit;
}

/** Steps before the first one that must be made anew. */
function usableSteps(chain: Chain, { noCache, stageNames }: RecallPolicy): number {
  if (noCache === true) return 0;
  if (noCache === false) return chain.steps.length;
  const isFiltered = (stage: number) =>
    noCache.includes(stageNames.get(stage) ?? "") || noCache.includes(String(stage));
  const first = chain.steps.findIndex(({ step }) => isFiltered(step.stage));
  return first === -1 ? chain.steps.length : first;
}

/** A manifest that carries the right tag. */
interface Candidate {
  readonly position: number;
  readonly key: Digest;
  readonly tag: string;
  readonly stored: StoredManifest;
}

async function fetchCandidate(
  chain: Chain,
  { position, cache, emit, signal }: Recalling & { position: number },
): Promise<Candidate | undefined> {
  const key = chain.steps[position - 1]?.key?.digest;
  if (key === undefined) return undefined;
  const tag = checkpointTag(key);
  const fetch = async () => await cache.fetchManifest(tag, { signal });
  const stored = await unlessDamaged(fetch, (why) => emit({ kind: "checkpoint-refused", tag, why }));
  return stored === undefined ? undefined : { position, key, tag, stored };
}

async function openCandidate(
  chain: Chain,
  { candidate, ...around }: Recalling & { candidate: Candidate },
): Promise<Recalled | undefined> {
  const { tag, position } = candidate;
  const refuse = (why: string): undefined => void around.emit({ kind: "checkpoint-refused", tag, why });
  return await unlessDamaged(async () => {
    const checkpoint = await checkpointOf(chain, { candidate, ...around });
    if (typeof checkpoint === "string") return refuse(checkpoint);
    const flaw = flawOf(chain, { checkpoint, position, policy: around.policy });
    return flaw === undefined ? { checkpoint, position } : refuse(flaw);
  }, refuse);
}

/** What is damaged or gone in the cache is as good as none: the build goes on without it. */
export async function unlessDamaged<T>(
  work: () => Promise<T | undefined>,
  refuse: (why: string) => void,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isLayerwiseError(error) || !damage.includes(error.code)) throw error;
    refuse(error.message);
    return undefined;
  }
}

const damage: readonly ErrorCode[] = ["REGISTRY_PROTOCOL", "DIGEST_MISMATCH", "REGISTRY_NOT_FOUND"];

async function checkpointOf(
  chain: Chain,
  { candidate, ...around }: Recalling & { candidate: Candidate },
): Promise<Checkpoint | string> {
  const { key, tag, stored } = candidate;
  const { cache, signal } = around;
  const source = `${cache.name}:${tag}`;
  const decoded = decodeCheckpointManifest(stored.bytes, { key, mediaType: stored.mediaType, source });
  if (typeof decoded === "string") return decoded;
  // Asked for together: each costs a round trip, and nearly always both say that the checkpoint is good.
  const [configBytes, missing] = await Promise.all([
    readAll(cache.fetchBlob(decoded.manifest.config, { signal }), maxConfigBytes),
    missingLayer(decoded.manifest, around),
  ]);
  const base = chain.base?.config ?? emptyImageConfig(chain.platform);
  return missing ?? joinCheckpoint(decoded, { key, digest: stored.digest, configBytes, base, source });
}

function flawOf(
  chain: Chain,
  { checkpoint, position, policy }: Recalled & { policy: RecallPolicy },
): string | undefined {
  const layers = (chain.base?.config.diffIds.length ?? 0) + position;
  if (checkpoint.config.diffIds.length !== layers) return "it holds another number of layers than the chain";
  return isTooOld(chain, { checkpoint, position, policy }) ? tooOld : undefined;
}

function isTooOld(chain: Chain, { checkpoint, position, policy }: Recalled & { policy: RecallPolicy }): boolean {
  const { notBefore } = policy;
  if (notBefore === undefined) return false;
  const times = layerTimes(checkpoint.config);
  const below = checkpoint.config.diffIds.length - position;
  return chain.steps.slice(0, position).some(({ step }, index) => {
    const time = Date.parse(times[below + index] ?? "");
    return step.kind === "run" && !(time >= notBefore);
  });
}

/** Registries do not all check a manifest's blobs, and garbage collectors make mistakes. */
async function missingLayer(
  { layers }: Pick<Checkpoint, "layers">,
  { cache, signal }: Recalling,
): Promise<string | undefined> {
  const digests = [...new Set(layers.map((layer) => layer.digest))];
  const present = await Promise.all(digests.map((digest) => cache.hasBlob(digest, { signal })));
  const missing = digests.find((_, index) => present[index] === false);
  return missing === undefined ? undefined : `its layer ${missing} is not in ${cache.name}`;
}
