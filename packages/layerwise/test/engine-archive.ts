// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from "node:zlib";
import { encodeTar, type TarItem } from "../../lab/src/index.ts";
import { digestOf, hexOf } from "../src/spec/digest.ts";
import { encodeImageConfig, type ImageConfig } from "../src/spec/image-config.ts";
import { mediaTypes } from "../src/spec/media-type.ts";

/** An image as an engine has it in hand before it writes an archive. */
export interface ArchivedImage {
  /** The tar archives of its layers, lowest first. */
  readonly layers: readonly Buffer[];
  readonly config: ImageConfig;
}

/** The config of an image with these layers, all of them made by one instruction each. */
export function configOf(layers: readonly Buffer[], parts: Partial<ImageConfig> = {}): ImageConfig {
  return {
    os: "linux",
    architecture: "amd64",
    created: "2024-05-06T07:08:09Z",
    config: {},
    diffIds: layers.map((layer) => digestOf(layer)),
    history: layers.map(() => ({ created: "2024-05-06T07:08:09Z", created_by: "RUN make # buildkit" })),
    ...parts,
  };
}

/** What `docker save` writes up to Docker 24: a folder a layer, and a link where a layer occurs again. */
export function savedByDocker20({ layers, config }: ArchivedImage): Buffer {
  const bytes = encodeImageConfig(config);
  const first = new Map<string, string>();
  const items: TarItem[] = [];
  const paths = layers.map((layer, index) => {
    const id = hexOf(digestOf(`${index} ${digestOf(layer)}`));
    const same = first.get(digestOf(layer));
    items.push({ path: `${id}/`, type: "directory" }, file(`${id}/VERSION`, "1.0"), file(`${id}/json`, "{}"));
    const target = same === undefined ? undefined : `../${same}/layer.tar`;
    items.push(
      target === undefined
        ? file(`${id}/layer.tar`, layer)
        : { path: `${id}/layer.tar`, type: "symlink", linkPath: target },
    );
    first.set(digestOf(layer), same ?? id);
    return `${id}/layer.tar`;
  });
  const name = `${hexOf(digestOf(bytes))}.json`;
  items.push(file(name, bytes));
  items.push(json("manifest.json", [{ Config: name, RepoTags: null, Layers: paths }]));
  return encodeTar(items);
}

/** What `docker save` writes since Docker 25: a layout whose layers are plain tars, and the old manifest beside it. */
export function savedByDocker28(
  { layers, config }: ArchivedImage,
  zip: (layer: Buffer) => Buffer = (layer) => layer,
): Buffer {
  const { items, manifest, paths, configPath } = blobsOf(layers.map(zip), config);
  return encodeTar([
    { path: "blobs/", type: "directory" },
    { path: "blobs/sha256/", type: "directory" },
    ...items,
    json("index.json", { schemaVersion: 2, mediaType: mediaTypes.oci.index, manifests: [manifest] }),
    json("manifest.json", [{ Config: configPath, RepoTags: null, Layers: paths, LayerSources: {} }]),
    json("oci-layout", { imageLayoutVersion: "1.0.0" }),
  ]);
}

/** What BuildKit's oci exporter writes; with attestations there is an index in the index. */
export function exportedByBuildKit({ layers, config }: ArchivedImage, options: { attested?: boolean } = {}): Buffer {
  const zipped = layers.map((layer) => gzipSync(layer));
  const { items, manifest } = blobsOf(zipped, config);
  const attestation = {
    ...manifest,
    digest: digestOf("attestation"),
    platform: { os: "unknown", architecture: "unknown" },
  };
  const inner = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [manifest, attestation] }));
  const index = { mediaType: mediaTypes.oci.index, digest: digestOf(inner), size: inner.length };
  const isAttested = options.attested === true;
  return encodeTar([
    ...items,
    ...(isAttested ? [blob(inner)] : []),
    json("index.json", { schemaVersion: 2, manifests: [isAttested ? index : manifest] }),
    json("oci-layout", { imageLayoutVersion: "1.0.0" }),
  ]);
}

function blobsOf(
  layers: readonly Buffer[],
  config: ImageConfig,
): { items: TarItem[]; manifest: object; paths: readonly string[]; configPath: string } {
  const bytes = Buffer.from(encodeImageConfig(config));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.oci.manifest,
      config: { mediaType: mediaTypes.oci.config, digest: digestOf(bytes), size: bytes.length },
      layers: layers.map((layer) => ({
        mediaType: mediaTypes.oci.layer.gzip,
        digest: digestOf(layer),
        size: layer.length,
      })),
    }),
  );
  const blobs = new Map([...layers, bytes, manifest].map((content) => [digestOf(content), content]));
  return {
    items: [...blobs.values()].map(blob),
    manifest: { mediaType: mediaTypes.oci.manifest, digest: digestOf(manifest), size: manifest.length },
    paths: layers.map((layer) => `blobs/sha256/${hexOf(digestOf(layer))}`),
    configPath: `blobs/sha256/${hexOf(digestOf(bytes))}`,
  };
}

function blob(content: Buffer): TarItem {
  return file(`blobs/sha256/${hexOf(digestOf(content))}`, content);
}

function json(path: string, document: object): TarItem {
  return file(path, JSON.stringify(document));
}

function file(path: string, content: string | Uint8Array): TarItem {
  return { path, type: "file", content };
}
