// SPDX-License-Identifier: Apache-2.0
import type { Report } from "../report/report.ts";
import { formatReference, parseReference } from "../spec/reference.ts";

/**
 * What `--metadata-file` holds, in the form that buildx gives it.
 * https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file
 */
export function metadataOf({ image }: Report): string {
  const metadata = {
    "containerimage.config.digest": image.config,
    "containerimage.descriptor": { mediaType: image.mediaType, digest: image.digest, size: image.manifestSize },
    "containerimage.digest": image.digest,
    "image.name": image.references.map(fullName).join(","),
  };
  return `${JSON.stringify(metadata, undefined, 2)}\n`;
}

/** buildx names Docker Hub and its `library/` where people leave them out; the path of a layout is no reference. */
function fullName(name: string): string {
  return name.startsWith("oci-layout:") ? name : formatReference(parseReference(name));
}
