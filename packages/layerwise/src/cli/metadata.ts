// SPDX-License-Identifier: Apache-2.0
import type { Report } from "../report/report.ts";
import { formatReference, parseReference } from "../spec/reference.ts";

/** What a metadata file says of an image. */
export interface ImageMetadata {
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
  /** Undefined: it is no image of one platform, or nobody has looked. */
  readonly config: string | undefined;
  readonly names: readonly string[];
}

/** What `--metadata-file` of a build holds. */
export function metadataOf({ image }: Report): string {
  const descriptor = { mediaType: image.mediaType, digest: image.digest, size: image.manifestSize };
  return metadataText({ descriptor, config: image.config, names: image.references });
}

/**
 * The text of a metadata file, in the form that buildx gives it.
 * https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file
 */
export function metadataText({ descriptor, config, names }: ImageMetadata): string {
  const metadata = {
    ...(config === undefined ? {} : { "containerimage.config.digest": config }),
    "containerimage.descriptor": descriptor,
    "containerimage.digest": descriptor.digest,
    "image.name": names.map(fullName).join(","),
  };
  return `${JSON.stringify(metadata, undefined, 2)}\n`;
}

/** buildx names Docker Hub and its `library/` where people leave them out; the path of a layout is no reference. */
function fullName(name: string): string {
  return name.startsWith("oci-layout:") ? name : formatReference(parseReference(name));
}
