// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { LabError } from "../host/lab-error.ts";
import type { ConfigDocument } from "./document.ts";
import { type BlobStore, bytesOf, type Image, type ImageChoice, openImage } from "./image.ts";
import { readTar } from "./tar-reader.ts";

/**
 * Opens an image in an OCI layout directory.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
 */
export async function openLayoutImage(directory: string, choice: ImageChoice = {}): Promise<Image> {
  const open = (path: string) => createReadStream(join(directory, path));
  const bytes = await readFile(join(directory, "index.json"));
  await checkLayout(await readFile(join(directory, "oci-layout"), "utf8"), directory);
  return openImage(layoutStore(directory, open), { bytes, claims: {} }, choice);
}

/** Opens an image in an archive as `docker save` and BuildKit's `docker` and `oci` outputs write it. */
export async function openArchiveImage(file: string, choice: ImageChoice = {}): Promise<Image> {
  const parts = await partsOf(file);
  const open = (path: string): AsyncIterable<Uint8Array> => {
    const part = parts.get(path);
    if (part === undefined) throw new LabError(`could not read ${file}: ${path} is not in it`);
    if (part.size === 0) return emptyStream();
    return createReadStream(file, { start: part.offset, end: part.offset + part.size - 1 });
  };
  if (!parts.has("index.json")) return openDockerArchive({ file, open }, choice);
  await checkLayout((await bytesOf(open("oci-layout"))).toString("utf8"), file);
  return openImage(layoutStore(file, open), { bytes: await bytesOf(open("index.json")), claims: {} }, choice);
}

interface Archive {
  readonly file: string;
  open(path: string): AsyncIterable<Uint8Array>;
}

interface DockerArchiveEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

/**
 * The form without an index; Docker up to 24 writes only this one.
 * https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
 */
async function openDockerArchive({ file, open }: Archive, choice: ImageChoice): Promise<Image> {
  const entries = JSON.parse((await bytesOf(open("manifest.json"))).toString("utf8")) as DockerArchiveEntry[];
  const fit = (names: readonly string[] | null) =>
    choice.tag === undefined || (names ?? []).some((name) => name === choice.tag || name.endsWith(`:${choice.tag}`));
  const [entry, second] = entries.filter(({ RepoTags }) => fit(RepoTags));
  if (entry === undefined || second !== undefined) throw new LabError(`could not choose an image of ${file}`);
  const bytes = await bytesOf(open(entry.Config));
  const hex = /([0-9a-f]{64})(\.json)?$/.exec(entry.Config)?.[1];
  return {
    name: file,
    documents: [{ what: "config", bytes, claims: { digest: hex && `sha256:${hex}` } }],
    config: JSON.parse(bytes.toString("utf8")) as ConfigDocument,
    layers: entry.Layers.map((path) => ({ claims: {}, open: () => open(path) })),
  };
}

function layoutStore(name: string, open: (path: string) => AsyncIterable<Uint8Array>): BlobStore {
  const blob = (digest: string) => open(`blobs/${digest.replace(":", "/")}`);
  return { name, blob, manifest: (digest) => bytesOf(blob(digest)) };
}

async function checkLayout(text: string, name: string): Promise<void> {
  const { imageLayoutVersion } = JSON.parse(text) as { readonly imageLayoutVersion?: string };
  if (imageLayoutVersion !== "1.0.0") {
    throw new LabError(`could not read ${name}: its layout has version ${imageLayoutVersion}`);
  }
}

interface Part {
  readonly offset: number;
  readonly size: number;
}

/** Where the files of an archive lie in it; a layer that an image has twice is a link the second time. */
async function partsOf(file: string): Promise<ReadonlyMap<string, Part>> {
  const parts = new Map<string, Part>();
  const links = new Map<string, string>();
  for await (const entry of readTar(createReadStream(file))) {
    const path = posix.normalize(entry.path);
    if (entry.type === "file") parts.set(path, { offset: entry.offset, size: entry.size });
    if (entry.type === "link") links.set(path, posix.normalize(entry.linkPath));
    if (entry.type === "symlink") links.set(path, posix.join(posix.dirname(path), entry.linkPath));
  }
  for (const [path, target] of links) {
    const part = parts.get(target);
    if (part !== undefined) parts.set(path, part);
  }
  return parts;
}

async function* emptyStream(): AsyncGenerator<Uint8Array> {}
