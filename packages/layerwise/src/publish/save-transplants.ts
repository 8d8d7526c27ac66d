// SPDX-License-Identifier: Apache-2.0
import { type Chain, type ChainStep, endKey } from "../plan/chain.ts";
import type { BaseImage } from "../plan/facts.ts";
import { openFileTree } from "../plan/file-tree.ts";
import { gatherFiles } from "../plan/gather-files.ts";
import type { BelowFiles, EngineWork, PlannedStages } from "../plan/plan.ts";
import { recordSource, selectInLayers } from "../plan/select-in-layers.ts";
import {
  type CopyFromStep,
  mayTransplant,
  transplantKey,
  transplantLayer,
  transplantPositions,
} from "../plan/transplant.ts";
import type { Ports, Repository } from "../ports.ts";
import { type ImageLayer, locatedLayer, storedLayers } from "../produce/image.ts";
import type { MadeChain } from "../produce/match-layers.ts";
import { repositoryOf } from "../produce/with-engine.ts";
import { checkpointTag } from "../spec/checkpoint.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import type { Digest } from "../spec/digest.ts";
import { mergeLayers } from "../spec/file-view.ts";
import { chainIdOf } from "../spec/image-config.ts";
import type { LayerFiles } from "../spec/layer-files.ts";
import { encodeTransplant, encodeTransplantManifest, transplantMediaType } from "../spec/transplant-document.ts";
import { saveArtifact } from "./save-artifact.ts";
import { type SaveOptions, saveFilesOf } from "./save-checkpoints.ts";

/** What an engine made, and where the layers of its sources are. */
export interface MadeLayers {
  /** The target's chain; its layers are in the cache. */
  readonly target: MadeChain;
  /** Other stages that were made. */
  readonly stages: readonly MadeChain[];
  readonly work: EngineWork;
  readonly evaluated: PlannedStages;
  readonly ports: Ports;
}

/** The steps of a chain that an engine has just made and whose layers are worth being recorded. */
export function recordable({ chain, from }: Pick<MadeChain, "chain" | "from">): readonly Recordable[] {
  const positions = transplantPositions(chain).filter((position) => position > from);
  return positions.flatMap((position) => {
    const one = chain.steps[position - 1] as ChainStep;
    return mayTransplant(one.step) ? [{ position, one, step: one.step }] : [];
  });
}

interface Recordable {
  readonly position: number;
  readonly one: ChainStep;
  readonly step: CopyFromStep;
}

/**
 * Records layers that an engine has just copied from another stage or an image, for builds in which other layers are
 * below them. Only a layer is recorded that is exactly what the instruction is computed to make.
 */
export async function saveTransplants(made: MadeLayers, options: SaveOptions): Promise<void> {
  const { target } = made;
  const recording = recordable(target).flatMap((one) => {
    const source = sourceOf(one.step, { ...made, cache: options.cache });
    return source === undefined ? [] : [{ ...one, source }];
  });
  const deepest = recording.at(-1)?.position;
  if (deepest === undefined) return;
  const base = target.layers.length - target.chain.steps.length;
  const own = await listStack(
    { layers: target.layers.slice(0, base + deepest), base, before: base + target.from },
    options,
  );
  if (own === undefined) return;
  for (const { position, one, step, source } of recording) {
    const files = await listStack(source, options);
    if (files === undefined) continue;
    if (!files.isStored) await saveFilesOf(files.layers, options);
    const sources = selectInLayers(mergeLayers(files.layers), step);
    if (sources === undefined) continue;
    const index = base + position - 1;
    const layer = own.layers[index] as LayerFiles;
    const tree = openFileTree(mergeLayers(own.layers.slice(0, index)));
    if (transplantLayer(tree, { step, transplant: { files: layer, sources } }).kind === "refused") continue;
    const key = transplantKey(one, target.chain.platform)?.digest as Digest;
    const { descriptor } = target.layers[index] as ImageLayer;
    const from = chainIdOf(source.layers.map(({ diffId }) => diffId)) ?? "scratch";
    const document = encodeTransplant({ layer, from, sources: sources.map(recordSource) });
    const manifest = (blob: Descriptor) => encodeTransplantManifest(key, { document: blob, layer: descriptor });
    await saveArtifact({ tag: checkpointTag(key), mediaType: transplantMediaType, document, manifest }, options);
  }
}

/** A stack of layers. */
interface Stack {
  readonly layers: readonly ImageLayer[];
  /** How many of them are the base's. */
  readonly base: number;
  /** How many were there before. */
  readonly before: number;
}

/** The layers that a COPY --from reads; undefined if nobody has them at hand. */
function sourceOf(
  { from }: CopyFromStep,
  { target, stages, work, evaluated, ports, cache }: MadeLayers & { readonly cache: Repository },
): Stack | undefined {
  if (from.kind === "image") {
    const key = evaluated.imageKey(from.reference);
    const isIt = ({ reference, config }: BaseImage) =>
      reference === from.reference && (chainIdOf(config.diffIds) ?? "scratch") === key;
    return imageStack(work.images.find(isIt), ports);
  }
  const chain = evaluated.chains.get(from.stage) as Chain;
  const { length } = chain.steps;
  if (length === 0) return imageStack(chain.base, ports);
  const base = chain.base?.layers.length ?? 0;
  const key = endKey(chain)?.digest;
  const holder = [target, ...stages].find((one) => one.chain.steps[length - 1]?.key?.digest === key);
  if (holder !== undefined) {
    return { layers: holder.layers.slice(0, base + length), base, before: base + Math.min(holder.from, length) };
  }
  const start = work.starts.get(from.stage);
  if (start?.kind !== "checkpoint" || start.recalled.position !== length) return undefined;
  const { layers, config } = start.recalled.checkpoint;
  return { layers: storedLayers(cache, { layers, diffIds: config.diffIds }), base, before: base };
}

function imageStack(image: BaseImage | undefined, ports: Ports): Stack {
  if (image === undefined) return { layers: [], base: 0, before: 0 };
  const layers = storedLayers(repositoryOf(image, ports), { layers: image.layers, diffIds: image.config.diffIds });
  return { layers, base: layers.length, before: layers.length };
}

/**
 * The files of a stack of layers, each layer read at most once; undefined if one cannot be read. Of those that were
 * there before the cache has lists, as a rule.
 */
async function listStack(
  { layers, base, before }: Stack,
  { cache, listed, emit, signal }: SaveOptions,
): Promise<BelowFiles | undefined> {
  const located = layers.map(locatedLayer);
  const around = { cache, known: undefined, lower: 0, listed, emit, signal };
  for (const length of new Set([base, before])) {
    if (length === 0 || length === layers.length) continue;
    const part = await gatherFiles(located.slice(0, length), { ...around, lower: length === base ? 0 : base });
    if (part.kind === "unreadable") return undefined;
    if (length === base && !part.isStored) await saveFilesOf(part.layers, { cache, signal });
    for (const files of part.layers) listed.set(files.diffId, files);
  }
  const all = await gatherFiles(located, around);
  return all.kind === "unreadable" ? undefined : all;
}
