// SPDX-License-Identifier: Apache-2.0

/**
 * The two families of media types an image can be written in.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/media-types.md
 * https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-2.md
 */
export type MediaFamily = "oci" | "docker";

/** How the tar of a layer is compressed. */
export type LayerCompression = "none" | "gzip" | "zstd";

/** The media types of one family. */
export const mediaTypes = {
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    index: "application/vnd.oci.image.index.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: {
      none: "application/vnd.oci.image.layer.v1.tar",
      gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
      zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
    },
  },
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: {
      none: "application/vnd.docker.image.rootfs.diff.tar",
      gzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
      zstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
    },
  },
} as const;

/** The content of a descriptor whose data carries nothing (image-spec, "guidance for an empty descriptor"). */
export const emptyMediaType = "application/vnd.oci.empty.v1+json";

/** What a manifest request accepts: both families, manifests before indexes. */
export const manifestAccept: string = [
  mediaTypes.oci.manifest,
  mediaTypes.docker.manifest,
  mediaTypes.oci.index,
  mediaTypes.docker.index,
].join(", ");

/** Whether a media type is an image manifest of either family. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.oci.manifest || mediaType === mediaTypes.docker.manifest;
}

/** Whether a media type is an index (a manifest list) of either family. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.oci.index || mediaType === mediaTypes.docker.index;
}

/** The family of a manifest or an index. */
export function familyOf(manifestType: string): MediaFamily {
  return manifestType.includes(".docker.") ? "docker" : "oci";
}

/** The compression of a layer, or undefined if the media type is no tar layer that we understand. */
export function compressionOf(layerType: string): LayerCompression | undefined {
  for (const family of [mediaTypes.oci, mediaTypes.docker]) {
    for (const compression of ["none", "gzip", "zstd"] as const) {
      if (family.layer[compression] === layerType) return compression;
    }
  }
  return undefined;
}

/** The same layer bytes under the media type of a family; undefined for a layer that we do not understand. */
export function layerTypeIn(family: MediaFamily, layerType: string): string | undefined {
  const compression = compressionOf(layerType);
  return compression === undefined ? undefined : mediaTypes[family].layer[compression];
}
