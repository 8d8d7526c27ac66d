// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import { baseKey, isReadable } from "../plan/facts.ts";
import { gatherBases } from "../plan/gather-bases.ts";
import type { Plan, StageStart } from "../plan/plan.ts";
import type { CallOptions, Ports } from "../ports.ts";
import { type EngineSurroundings, runEngine } from "../produce/engine-build.ts";
import { type ImageLayer, locatedLayer, storedLayers } from "../produce/image.ts";
import { repositoryOf } from "../produce/with-engine.ts";
import type { Digest } from "../spec/digest.ts";
import type { ImageConfig } from "../spec/image-config.ts";
import { formatPlatform, type Platform } from "../spec/platform.ts";
import { type Difference, differencesBetween, repeatableDifferences } from "./compare-images.ts";
import { type LayerStore, type ReadableImage, readImageContents } from "./image-contents.ts";

/** How a comparison ended. */
export interface Verification {
  /** `own`: an engine made the whole image in this build, so there is nothing to compare it with. */
  readonly outcome: "equal" | "different" | "own";
  /** How the two images are named in messages. */
  readonly one: string;
  readonly other: string;
  readonly differences: readonly Difference[];
  /** What two builds of the engine itself do not agree on, left out of the differences. */
  readonly varying: readonly Difference[];
  /** Tags of the checkpoints that the image continues. */
  readonly checkpoints: readonly string[];
}

/** An image that was made, complete but for its way into a repository. */
export interface MadeImage {
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
}

/** What verifying a build needs besides what was made. */
export interface Verifying {
  /** The stage to build; undefined: the last. */
  readonly target: string | undefined;
  readonly engine: EngineSurroundings;
}

/**
 * Has an engine build the same inputs whole, with nothing reused, and compares its image with one that was made from
 * checkpoints or assembled. Where they differ the engine builds once more: what differs between its own two images
 * is no difference of ours.
 */
export async function verifyImage(plan: Plan, made: MadeImage, verifying: Verifying): Promise<Verification> {
  const checkpoints = checkpointsOf(plan);
  const names = { one: "the image", other: "the engine's image", checkpoints };
  if (isOwn(plan)) return { outcome: "own", ...names, differences: [], varying: [] };
  const store: LayerStore = new Map();
  const contents = async (image: MadeImage, name: string) => {
    const readable: ReadableImage = { name, config: image.config, layers: image.layers.map(locatedLayer) };
    return await readImageContents(readable, { store, signal: verifying.engine.signal });
  };
  const ours = await contents(made, names.one);
  const engines = await contents(await buildWhole(plan, made, verifying), names.other);
  const found = differencesBetween(ours, engines);
  if (found.length === 0) return { outcome: "equal", ...names, differences: [], varying: [] };
  const again = await contents(await buildWhole(plan, made, verifying), names.other);
  const differences = repeatableDifferences(found, differencesBetween(again, engines));
  const varying = found.filter((difference) => !differences.includes(difference));
  return { outcome: differences.length === 0 ? "equal" : "different", ...names, differences, varying };
}

/** Whether an engine has executed all of the image in this build. */
function isOwn({ work }: Plan): boolean {
  if (work.kind === "whole") return true;
  return work.kind === "engine" && [...work.starts.values()].every((start) => start.kind === "begin");
}

function checkpointsOf({ work }: Plan): readonly string[] {
  if (work.kind === "whole") return [];
  if (work.kind !== "engine") return work.start === undefined ? [] : [work.start.checkpoint.tag];
  return [...work.starts.values()]
    .filter((start): start is Extract<StageStart, { kind: "checkpoint" }> => start.kind === "checkpoint")
    .map((start) => start.recalled.checkpoint.tag);
}

/** An older image of the base's name in the engine's store must not stand in for the one that was planned with. */
async function buildWhole(plan: Plan, made: MadeImage, { target, engine }: Verifying): Promise<MadeImage> {
  const { settings } = engine;
  const request = {
    ...settings,
    passThrough: [...settings.passThrough, "--pull"],
    dockerfile: plan.dockerfile.text,
    target,
    noCache: true,
  };
  const known = new Map<Digest, ImageLayer>(made.layers.map((layer) => [layer.diffId, layer]));
  // What this build executes is not what the report's steps are about.
  const emit: Emit = (event) => (event.kind === "engine-output" ? engine.emit(event) : undefined);
  const around = { ...engine, target: undefined, emit };
  return await runEngine(request, { around, prefers: undefined, known });
}

/** Compares two images of registries; nothing is built. */
export async function verifyReferences(
  [one, other]: readonly [string, string],
  { platform, ports, signal }: { platform: Platform; ports: Pick<Ports, "repositories"> } & CallOptions,
): Promise<Verification> {
  const wanted = [one, other].map((reference) => ({ reference, platform }));
  const { repositories } = ports;
  const images = await gatherBases(wanted, { repositories, named: new Map(), emit: () => undefined, signal });
  const store: LayerStore = new Map();
  const contents = async (reference: string) => {
    const image = images.get(baseKey(reference, formatPlatform(platform)));
    if (!isReadable(image)) throw image?.cause ?? unreadable(reference, image?.why ?? "it was not looked up");
    const layers = storedLayers(repositoryOf(image, ports), { layers: image.layers, diffIds: image.config.diffIds });
    const readable: ReadableImage = { name: reference, config: image.config, layers: layers.map(locatedLayer) };
    return await readImageContents(readable, { store, signal });
  };
  const differences = differencesBetween(await contents(one), await contents(other));
  const outcome = differences.length === 0 ? "equal" : "different";
  return { outcome, one, other, differences, varying: [], checkpoints: [] };
}

function unreadable(reference: string, why: string): LayerwiseError {
  return new LayerwiseError("REGISTRY_NOT_FOUND", `could not read the image ${reference}: ${why}`, {
    hint: "name a platform that it has with --platform",
  });
}
