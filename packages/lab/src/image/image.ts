// SPDX-License-Identifier: Apache-2.0
import { LabError } from "../host/lab-error.ts";
import type { ConfigDocument, Descriptor, IndexDocument, ManifestDocument, Platform } from "./document.ts";

/** An image as found somewhere: its documents are here, its layers can be read. Nothing is verified. */
export interface Image {
  /** How messages name it. */
  readonly name: string;
  /** The index if there is one, the manifest if there is one, and the config. */
  readonly documents: readonly ImageDocument[];
  readonly config: ConfigDocument;
  readonly layers: readonly ImageLayer[];
}

/** What somebody says about bytes: a descriptor, a header, a file's name. */
export interface Claims {
  readonly mediaType?: string | undefined;
  readonly digest?: string | undefined;
  readonly size?: number | undefined;
}

/** A document with what is said about it. */
export interface ImageDocument {
  readonly what: "index" | "manifest" | "config";
  readonly bytes: Buffer;
  readonly claims: Claims;
}

/** A layer with what is said about it. */
export interface ImageLayer {
  readonly claims: Claims;
  /** Each call reads from the first byte. */
  open(): AsyncIterable<Uint8Array>;
}

/** A place that holds documents and blobs by digest. */
export interface BlobStore {
  readonly name: string;
  manifest(digest: string): Promise<Buffer>;
  blob(digest: string): AsyncIterable<Uint8Array>;
}

/** What finds one image in a place that holds several. */
export interface ImageChoice {
  /** The tag, where tags are annotations or repository tags of an archive. */
  readonly tag?: string | undefined;
  /** This machine's by default. */
  readonly platform?: Platform | undefined;
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** The platform of this machine's containers. */
export function hostPlatform(): Platform {
  return { os: "linux", architecture: architectures[process.arch] ?? process.arch };
}

/** Follows an image from its first document to its layers. */
export async function openImage(
  store: BlobStore,
  root: Omit<ImageDocument, "what">,
  choice: ImageChoice,
): Promise<Image> {
  const documents: ImageDocument[] = [];
  let current = root;
  for (;;) {
    const document = parse(current.bytes, store) as IndexDocument | ManifestDocument;
    if (!("manifests" in document)) {
      documents.push({ ...current, what: "manifest" });
      return await openManifest(store, { documents, manifest: document });
    }
    documents.push({ ...current, what: "index" });
    const chosen = chooseManifest(document.manifests, { ...choice, name: store.name });
    current = { bytes: await store.manifest(chosen.digest), claims: claimsOf(chosen) };
  }
}

/** The bytes of a stream. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function openManifest(
  store: BlobStore,
  found: { readonly documents: readonly ImageDocument[]; readonly manifest: ManifestDocument },
): Promise<Image> {
  const { config, layers } = found.manifest;
  const bytes = await bytesOf(store.blob(config.digest));
  return {
    name: store.name,
    documents: [...found.documents, { what: "config", bytes, claims: claimsOf(config) }],
    config: parse(bytes, store) as ConfigDocument,
    layers: (layers ?? []).map((layer) => ({ claims: claimsOf(layer), open: () => store.blob(layer.digest) })),
  };
}

function chooseManifest(all: readonly Descriptor[], choice: ImageChoice & { readonly name: string }): Descriptor {
  // BuildKit's attestations stand in an index as manifests for an unknown system.
  const images = all.filter(({ platform }) => platform?.os !== "unknown");
  const tagged = choice.tag === undefined ? images : images.filter((one) => tagsOf(one).includes(choice.tag ?? ""));
  const wanted = choice.platform ?? hostPlatform();
  const fit = tagged.filter(
    ({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture,
  );
  const [first, second] = tagged.length === 1 ? tagged : fit;
  if (first !== undefined && second === undefined) return first;
  throw new LabError(`could not choose an image of ${choice.name}: ${tagged.length} of ${all.length} manifests fit`);
}

/** Docker writes a name with its tag, other tools the tag alone. */
function tagsOf({ annotations = {} }: Descriptor): readonly string[] {
  const names = [annotations["org.opencontainers.image.ref.name"], annotations["io.containerd.image.name"]];
  return names.flatMap((name) => (name === undefined ? [] : [name, name.slice(name.lastIndexOf(":") + 1)]));
}

function claimsOf({ mediaType, digest, size }: Descriptor): Claims {
  return { mediaType, digest, size };
}

function parse(bytes: Buffer, store: BlobStore): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new LabError(`could not read ${store.name}: a document is not JSON`, { cause });
  }
}
