// SPDX-License-Identifier: Apache-2.0
import type { Site } from "./site.ts";

/** A manifest as a registry gives it. */
export interface ManifestDocument {
  readonly mediaType: string;
  readonly config: { readonly mediaType: string; readonly digest: string };
  readonly layers: readonly { readonly mediaType: string; readonly digest: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: unknown;
}

/** An answer to a request for a manifest. */
export interface ManifestAnswer {
  readonly bytes: Buffer;
  /** As the registry's header has it. */
  readonly digest: string | null;
  readonly manifest: ManifestDocument;
}

/** What a config holds, as far as tests look. */
export interface ConfigDocument {
  readonly config: { readonly Labels?: Readonly<Record<string, string>> };
}

/** Media types of the families that a base can have. */
export const familyTypes = [
  {
    family: "docker",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
  {
    family: "oci",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
] as const;

const indexes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

/** Fetches what a tag points to, an index as well. */
export async function fetchManifest({ registry }: Site, repository: string, tag: string): Promise<ManifestAnswer> {
  const accept = [...familyTypes.map(({ manifest }) => manifest), ...indexes].join(", ");
  const answer = await fetch(`http://${registry.name}/v2/${repository}/manifests/${tag}`, { headers: { accept } });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const manifest = JSON.parse(bytes.toString("utf8")) as ManifestDocument;
  return { bytes, digest: answer.headers.get("docker-content-digest"), manifest };
}

/** Fetches the config of the image that a tag points to. */
export async function fetchConfig(site: Site, repository: string, tag: string): Promise<ConfigDocument> {
  const { manifest } = await fetchManifest(site, repository, tag);
  const answer = await fetch(`http://${site.registry.name}/v2/${repository}/blobs/${manifest.config.digest}`);
  return (await answer.json()) as ConfigDocument;
}

/** All tags of a repository, those of checkpoints included. */
export async function fetchTags({ registry }: Site, repository: string): Promise<readonly string[]> {
  const answer = await fetch(`http://${registry.name}/v2/${repository}/tags/list`);
  return ((await answer.json()) as { tags?: readonly string[] | null }).tags ?? [];
}
