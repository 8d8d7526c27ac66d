// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";

/** What of a manifest counts here. */
export interface ManifestFacts {
  readonly mediaType: string;
  /** Bytes of the layers and the config. */
  readonly size: number;
  readonly refers: readonly string[];
  readonly artifactType: string | undefined;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Document {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

const docker = "application/vnd.docker.distribution.manifest.v2+json";
const oci = "application/vnd.oci.image.manifest.v1+json";

/** The types of Docker's second schema for those of OCI images. */
const dockerTypes: Readonly<Record<string, string>> = {
  [oci]: docker,
  "application/vnd.oci.image.config.v1+json": "application/vnd.docker.container.image.v1+json",
  "application/vnd.oci.image.layer.v1.tar": "application/vnd.docker.image.rootfs.diff.tar",
  "application/vnd.oci.image.layer.v1.tar+gzip": "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

/** Reads a manifest or an index. */
export function readManifest(bytes: Buffer, mediaType: string): ManifestFacts {
  const document = JSON.parse(bytes.toString("utf8")) as Document;
  const parts = [...(document.config === undefined ? [] : [document.config]), ...(document.layers ?? [])];
  const all = [...parts, ...(document.manifests ?? [])];
  return {
    mediaType,
    size: parts.reduce((sum, { size }) => sum + size, 0),
    refers: all.map(({ digest }) => digest),
    artifactType: document.artifactType ?? document.config?.mediaType,
  };
}

/** A manifest as it is sent. */
export interface SentManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/**
 * The manifest that a client gets who asks by tag: the stored one, or, when the client accepts Docker's schema 2 only,
 * one that is converted to it and has another digest.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html
 */
export function manifestFor(stored: SentManifest, accept: string): SentManifest {
  const accepted = accept.split(",").map((type) => type.split(";")[0]?.trim() ?? "");
  const isConverted = stored.mediaType === oci && !accepted.includes(oci) && accepted.includes(docker);
  if (!isConverted) return stored;
  const { config, layers = [], ...rest } = JSON.parse(stored.bytes.toString("utf8")) as Document;
  const parts = [...(config === undefined ? [] : [config]), ...layers];
  // Docker's second schema has no name for layers that are compressed otherwise.
  if (parts.some(({ mediaType }) => dockerTypes[mediaType] === undefined)) return stored;
  const renamed = (part: Descriptor) => ({ ...part, mediaType: dockerTypes[part.mediaType] });
  const converted = { ...rest, mediaType: docker, config: config && renamed(config), layers: layers.map(renamed) };
  return { mediaType: docker, bytes: Buffer.from(JSON.stringify(converted)) };
}

/** The digest of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
