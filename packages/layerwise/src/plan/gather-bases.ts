// SPDX-License-Identifier: Apache-2.0
import { isLayerwiseError, LayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import type { CallOptions, Repositories, Repository } from "../ports.ts";
import { canDecompress } from "../spec/compression.ts";
import { isDigest } from "../spec/digest.ts";
import { decodeImageConfig } from "../spec/image-config.ts";
import { decodeIndex, manifestFor } from "../spec/image-index.ts";
import type { LockedBases } from "../spec/lock-file.ts";
import { decodeManifest } from "../spec/manifest.ts";
import { compressionOf, familyOf, isIndexType } from "../spec/media-type.ts";
import { formatPlatform, type Platform, samePlatform } from "../spec/platform.ts";
import { parseReference } from "../spec/reference.ts";
import { readAll } from "../spec/verified.ts";
import { type BaseImage, baseKey, type ImageLocation, type UnreadableBase } from "./facts.ts";
import { notLocked } from "./locked-bases.ts";
import { contextName } from "./named-contexts.ts";
import { maxConfigBytes } from "./recall.ts";

/** An image to look up. */
export interface WantedImage {
  readonly reference: string;
  readonly platform: Platform;
}

/** What `--build-context NAME=…` says a name stands for, where that is an image; by `contextName`. */
export type NamedImages = ReadonlyMap<string, { readonly location: ImageLocation; readonly reference: string }>;

/** Looks up images, all at once; one that cannot be read is a fact too. */
export async function gatherBases(
  wanted: readonly WantedImage[],
  { emit, ...looking }: LookUp & { readonly emit: Emit },
): Promise<ReadonlyMap<string, BaseImage | UnreadableBase>> {
  const bases = new Map<string, Promise<BaseImage | UnreadableBase>>();
  for (const image of wanted) {
    const key = baseKey(image.reference, formatPlatform(image.platform));
    if (!bases.has(key)) bases.set(key, lookUp(image, looking));
  }
  // All are waited for at once: of one that failed while another is waited for, nobody would hear.
  const found = await Promise.all([...bases].map(async ([key, pending]) => [key, await pending] as const));
  for (const [, base] of found) {
    if ("digest" in base) emit({ kind: "base-resolved", reference: base.reference, digest: base.digest });
  }
  return new Map(found);
}

interface LookUp extends CallOptions {
  readonly repositories: Repositories;
  readonly named: NamedImages;
  /** Undefined: images are looked up by their tags. */
  readonly locked?: LockedBases | undefined;
}

async function lookUp(
  { reference, platform }: WantedImage,
  { repositories, named, locked, ...call }: LookUp,
): Promise<BaseImage | UnreadableBase> {
  try {
    const { location, reference: asked } = named.get(contextName(reference)) ?? inRegistry(reference);
    const isLocked = locked !== undefined && location.kind === "registry" && !isDigest(asked);
    const actual = isLocked ? locked.get(reference) : asked;
    if (actual === undefined) throw notLocked(reference);
    const repository =
      location.kind === "layout" ? repositories.inLayout(location.path) : repositories.inRegistry(location.name);
    return await readImage(repository, { reference, actual, location, platform, ...call });
  } catch (error) {
    if (!isLayerwiseError(error) || !engineMayRead.test(error.code)) throw error;
    return unreadable(reference, error);
  }
}

/** What fails here and may work for an engine, which has other names, credentials and images. */
const engineMayRead = /^(?:REGISTRY_|DIGEST_|REFERENCE_)/;

function unreadable(reference: string, cause: LayerwiseError): UnreadableBase {
  return { reference, reason: "base-unreadable", why: cause.message, cause };
}

function notThere(reference: string, place: string): UnreadableBase {
  const error = new LayerwiseError(
    "REGISTRY_NOT_FOUND",
    `could not find the image ${reference}: ${place} is not there`,
    {
      hint: "check the name and the tag",
    },
  );
  return { ...unreadable(reference, error), why: `${place} is not there` };
}

function inRegistry(reference: string): { location: ImageLocation; reference: string } {
  const { host, path, tag, digest } = parseReference(reference);
  return { location: { kind: "registry", name: { host, path } }, reference: digest ?? tag ?? "latest" };
}

interface ReadImage extends CallOptions {
  readonly reference: string;
  /** Tag or digest. */
  readonly actual: string;
  readonly location: ImageLocation;
  readonly platform: Platform;
}

async function readImage(repository: Repository, wanted: ReadImage): Promise<BaseImage | UnreadableBase> {
  const { reference, actual, location, platform, signal } = wanted;
  const source = `${repository.name}:${actual}`;
  const refuse = (reason: UnreadableBase["reason"], why: string): UnreadableBase => ({ reference, reason, why });
  const top = await repository.fetchManifest(actual, { signal });
  if (top === undefined) return notThere(reference, source);
  let stored = top;
  if (isIndexType(top.mediaType)) {
    const chosen = manifestFor(decodeIndex(top.bytes, { mediaType: top.mediaType, source }), platform);
    if (chosen === undefined) return refuse("base-platform", `${source} for ${formatPlatform(platform)}`);
    const inner = await repository.fetchManifest(chosen.digest, { signal });
    if (inner === undefined) return notThere(reference, `${repository.name}@${chosen.digest}`);
    stored = inner;
  }
  const manifest = decodeManifest(stored.bytes, { mediaType: stored.mediaType, source });
  const unknown = manifest.layers.find(({ mediaType }) => {
    const compression = compressionOf(mediaType);
    return compression === undefined || !canDecompress(compression);
  });
  if (unknown !== undefined) return refuse("base-layers", unknown.mediaType);
  const bytes = await readAll(repository.fetchBlob(manifest.config, { signal }), maxConfigBytes);
  const config = decodeImageConfig(bytes, source);
  if (config.diffIds.length !== manifest.layers.length)
    return refuse("base-layers", "its config and manifest disagree");
  // A base for another platform than asked for is what it says; an engine decides whether that may be.
  if (!samePlatform(config, platform)) return refuse("base-platform", `${source} is for ${formatPlatform(config)}`);
  return {
    reference,
    location,
    digest: top.digest,
    family: familyOf(stored.mediaType),
    config,
    layers: manifest.layers,
  };
}
