// SPDX-License-Identifier: Apache-2.0
import type { Report } from "../report/report.ts";

/**
 * What `--metadata-file` holds, in the form that buildx gives it.
 * https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file
 */
export function metadataOf({ image }: Report): string {
  const metadata = {
    "containerimage.config.digest": image.config,
    "containerimage.descriptor": { mediaType: image.mediaType, digest: image.digest, size: image.manifestSize },
    "containerimage.digest": image.digest,
    "image.name": image.references.join(","),
  };
  return `${JSON.stringify(metadata, undefined, 2)}\n`;
}
