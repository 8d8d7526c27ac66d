// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

/** What an image says about bytes of it. https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md#image-index-property-descriptions */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** An index, or a manifest list. */
export interface IndexDocument {
  readonly schemaVersion: number;
  readonly mediaType?: string | undefined;
  readonly manifests: readonly Descriptor[];
}

/** An image manifest of either family. */
export interface ManifestDocument {
  readonly schemaVersion: number;
  readonly mediaType?: string | undefined;
  readonly config: Descriptor;
  /** Null, as engines write it, if there is none. */
  readonly layers: readonly Descriptor[] | null;
}

/** An image config. https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md */
export interface ConfigDocument {
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
  readonly variant?: string | undefined;
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly rootfs?: { readonly type: string; readonly diff_ids: readonly string[] } | undefined;
  readonly history?: readonly HistoryEntry[] | undefined;
}

/** How one instruction made a layer, or none. */
export interface HistoryEntry {
  readonly created_by?: string | undefined;
  readonly empty_layer?: boolean | undefined;
}

/** The family of media types of an image: Docker's schema 2 or OCI's. */
export type MediaTypeFamily = "docker" | "oci";

/** The media types of each family. */
export const mediaTypes: Readonly<
  Record<MediaTypeFamily, Readonly<Record<"index" | "manifest" | "config" | "layer", string>>>
> = {
  docker: {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
  oci: {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
};

/** The digest of bytes. */
export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
