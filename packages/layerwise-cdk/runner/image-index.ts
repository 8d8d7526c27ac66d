// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { ImagePlan } from "../src/private/plan-file.ts";
import type { Destination } from "./destination.ts";
import { RunnerError } from "./runner-error.ts";

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md */
const indexType = "application/vnd.oci.image.index.v1+json";

interface ManifestPart {
  readonly mediaType?: string;
  readonly layers?: readonly { readonly size: number }[];
}

/** Bytes of an image's layers, by its manifest; 0 for an index. */
export function layerBytes(manifest: string): number {
  const { layers = [] } = JSON.parse(manifest) as ManifestPart;
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** Writes the index over the images of a plan's platforms, under its tags; gives its digest. */
export async function writeIndex(
  destination: Destination,
  plan: ImagePlan,
  tagOf: (platform: string) => string,
): Promise<string> {
  const manifests = [];
  for (const platform of plan.platforms) {
    const found = await destination.find(tagOf(platform));
    if (found === undefined) {
      throw new RunnerError(`could not join the platforms of ${plan.path}: ${tagOf(platform)} is not there`);
    }
    const [os, architecture] = platform.split("/");
    const { mediaType = "application/vnd.oci.image.manifest.v1+json" } = JSON.parse(found.manifest) as ManifestPart;
    const size = Buffer.byteLength(found.manifest);
    manifests.push({ mediaType, digest: found.digest, size, platform: { os, architecture } });
  }
  const text = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
  for (const tag of [plan.tag, ...plan.floatingTags]) await destination.put(tag, { text, mediaType: indexType });
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
