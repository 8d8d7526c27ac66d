// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../plan/chain.ts";
import type { StageStart } from "../plan/plan.ts";
import { needsOwnConfig, redeclaredArgs, resumeConfig, stateAt } from "../plan/resume-config.ts";
import type { CallOptions, Repository } from "../ports.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { encodeImageConfig, type ImageConfig } from "../spec/image-config.ts";
import { encodeManifest, imageManifest } from "../spec/manifest.ts";
import { layerTypeIn, mediaTypes } from "../spec/media-type.ts";
import type { ResidualStart } from "./residual.ts";

/** The image that a stage of the residual goes on from: its checkpoint, under a config that fits this build. */
export async function resumeImage(
  chain: Chain,
  {
    start,
    cache,
    buildArgs,
    ...call
  }: {
    start: Extract<StageStart, { kind: "checkpoint" }>;
    cache: Repository;
    buildArgs: ReadonlyMap<string, string>;
  } & CallOptions,
): Promise<ResidualStart> {
  const { recalled, done } = start;
  const digest = needsOwnConfig(chain, recalled)
    ? await pushResumable(chain, { recalled, cache, ...call })
    : recalled.checkpoint.digest;
  const args = redeclaredArgs(stateAt(chain, recalled.position), buildArgs) ?? [];
  return { kind: "image", reference: `${cache.name}@${digest}`, done, args };
}

/** The checkpoint's layers under a config that the engine can go on from; a small manifest without a tag. */
async function pushResumable(
  chain: Chain,
  {
    recalled,
    cache,
    signal,
  }: { recalled: Extract<StageStart, { kind: "checkpoint" }>["recalled"]; cache: Repository } & CallOptions,
): Promise<Digest> {
  const { checkpoint, position } = recalled;
  const config: ImageConfig = { ...checkpoint.config, config: resumeConfig(stateAt(chain, position)) };
  const bytes = encodeImageConfig(config);
  const descriptor = { mediaType: mediaTypes.oci.config, digest: digestOf(bytes), size: bytes.length };
  await cache.pushBlob({ descriptor, open: () => once(bytes) }, { signal });
  const layers = checkpoint.layers.map((layer) => ({
    ...layer,
    mediaType: layerTypeIn("oci", layer.mediaType) ?? layer.mediaType,
  }));
  const manifest = imageManifest("oci", { config: descriptor, layers });
  const manifestBytes = encodeManifest(manifest);
  const digest = digestOf(manifestBytes);
  await cache.pushManifest(digest, { mediaType: manifest.mediaType, digest, bytes: manifestBytes }, { signal });
  return digest;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
