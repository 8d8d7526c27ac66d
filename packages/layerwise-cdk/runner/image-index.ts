// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { ImagePlan } from "../src/private/plan-file.ts";
import { platformTag } from "./build-image.ts";
import type { Destination, FoundImage } from "./destination.ts";
import { RunnerError } from "./runner-error.ts";

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md */
const indexType = "application/vnd.oci.image.index.v1+json";

interface ManifestPart {
  readonly mediaType?: string;
  readonly layers?: readonly { readonly size: number }[];
}

/** Bytes of all layers of an image that is there; behind an index, of all its platforms. */
export async function imageBytes(
  { manifest }: FoundImage,
  { plan, destination }: { readonly plan: ImagePlan; readonly destination: Destination },
): Promise<number> {
  if (plan.platforms.length === 1) return layerBytes(manifest);
  const images = await Promise.all(plan.platforms.map((platform) => destination.find(platformTag(plan, platform))));
  return images.reduce((sum, image) => sum + (image === undefined ? 0 : layerBytes(image.manifest)), 0);
}

function layerBytes(manifest: string): number {
  const { layers = [] } = JSON.parse(manifest) as ManifestPart;
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** Writes the index over the images of a plan's platforms, under its tags; gives its digest. */
export async function writeIndex(destination: Destination, plan: ImagePlan): Promise<string> {
  const manifests = [];
  for (const platform of plan.platforms) {
    const tag = platformTag(plan, platform);
    const found = await destination.find(tag);
    if (found === undefined) throw new RunnerError(`could not join the platforms of ${plan.path}: ${tag} is not there`);
    const [os, architecture] = platform.split("/");
    const { mediaType = "application/vnd.oci.image.manifest.v1+json" } = JSON.parse(found.manifest) as ManifestPart;
    const size = Buffer.byteLength(found.manifest);
    manifests.push({ mediaType, digest: found.digest, size, platform: { os, architecture } });
  }
  const text = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
  for (const tag of [plan.tag, ...plan.floatingTags]) await destination.put(tag, { text, mediaType: indexType });
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
