// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import type { Blob, CallOptions, Repository, StoredManifest } from "../ports.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { type Digest, digestOf, hexOf, isDigest } from "../spec/digest.ts";
import { verified } from "../spec/verified.ts";
import { readJson } from "./json.ts";
import { entryOfTag, readLayoutIndex, tagInLayout, untagInLayout } from "./layout-index.ts";
import { manifestTypeOf, maxManifestBytes } from "./manifest-type.ts";

/**
 * An OCI image layout directory, made when it is first written to.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
 *
 * Files appear whole or not at all, and processes may write at the same time. A manifest that is pushed by digest is
 * only a blob: it can be fetched by digest, and programs that collect garbage may remove it.
 */
export function openLayout(path: string, { isElsewhere = async () => false }: LayoutOptions = {}): Repository {
  const layout: Layout = { name: `oci-layout:${path}`, directory: resolve(path), isElsewhere };
  return {
    name: layout.name,
    registry: `oci-layout:${layout.directory}`,
    isLocal: true,
    fetchManifest: (reference, call) => guarded(() => fetchManifest(layout, reference), { layout, ...call }),
    hasBlob: (digest, call) =>
      guarded(async () => (await sizeOf(blobPath(layout, digest))) !== undefined, { layout, ...call }),
    fetchBlob: (descriptor, call) => fetchBlob(layout, descriptor, call),
    pushBlob: (blob, call) => pushBlob(layout, blob, call),
    async mountBlob() {
      return false;
    },
    pushManifest: (reference, manifest, call) =>
      guarded(() => pushManifest(layout, { reference, manifest }, call), { layout, ...call }),
    removeManifest: (digest, call) =>
      guarded(async () => await removeManifest(layout, digest, call), { layout, ...call }),
  };
}

/** What a layout may leave out. */
export interface LayoutOptions {
  /** Whether a blob that is not in the directory can be had nevertheless; none by default. */
  readonly isElsewhere?: ((digest: Digest) => Promise<boolean>) | undefined;
}

interface Layout {
  readonly name: string;
  readonly isElsewhere: (digest: Digest) => Promise<boolean>;
  /** Absolute. */
  readonly directory: string;
}

async function fetchManifest(layout: Layout, reference: string): Promise<StoredManifest | undefined> {
  const entries = await readLayoutIndex(layout.directory);
  const entry = isDigest(reference)
    ? entries.find(({ digest }) => digest === reference)
    : entryOfTag(entries, reference);
  const digest = entry?.digest ?? reference;
  if (!isDigest(digest)) return undefined;
  const size = await sizeOf(blobPath(layout, digest));
  if (size === undefined) return undefined;
  const action = `read manifest ${digest} in ${layout.name}`;
  if (size > maxManifestBytes) {
    throw new LayerwiseError("REGISTRY_PROTOCOL", `could not ${action}: it is longer than ${maxManifestBytes} bytes`);
  }
  const bytes = await readFile(blobPath(layout, digest));
  const found = digestOf(bytes);
  if (found !== digest) throw new LayerwiseError("DIGEST_MISMATCH", `could not ${action}: its digest is ${found}`);
  return { mediaType: manifestTypeOf(bytes, entry?.mediaType), digest, bytes };
}

async function* fetchBlob(layout: Layout, descriptor: Descriptor, call: CallOptions = {}): AsyncGenerator<Uint8Array> {
  const { digest } = descriptor;
  try {
    const stream = createReadStream(blobPath(layout, digest), { highWaterMark: 256 * 1024, signal: call.signal });
    for await (const chunk of verified(stream, descriptor, { source: layout.name })) yield chunk;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw explain(error, { layout, ...call });
    throw new LayerwiseError(
      "REGISTRY_NOT_FOUND",
      `could not fetch blob ${digest} from ${layout.name}: it is not there`,
    );
  }
}

async function pushBlob(layout: Layout, blob: Blob, call: CallOptions = {}): Promise<void> {
  const { descriptor } = blob;
  const path = blobPath(layout, descriptor.digest);
  // An error of the blob's own reader is not the disk's and stays as it is, whatever it looks like.
  let failure: { readonly error: unknown } | undefined;
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      yield* blob.open();
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  const write = async () => {
    if ((await sizeOf(path)) !== descriptor.size) await writeWhole(path, verified(read(), descriptor), call);
  };
  await guarded(write, { layout, ...call }).catch((error: unknown) => {
    throw failure === undefined || call.signal?.aborted === true ? error : failure.error;
  });
}

async function pushManifest(
  layout: Layout,
  { reference, manifest }: { reference: string; manifest: StoredManifest },
  call: CallOptions = {},
): Promise<void> {
  const { digest, bytes, mediaType } = manifest;
  const action = `push manifest ${reference} to ${layout.name}`;
  if (digestOf(bytes) !== digest || (isDigest(reference) && reference !== digest)) {
    throw new LayerwiseError("DIGEST_MISMATCH", `could not ${action}: its digest is ${digestOf(bytes)}`);
  }
  await refuseMissingBlobs(layout, { bytes, action });
  await initialize(layout);
  await writeWhole(blobPath(layout, digest), [bytes], call);
  if (isDigest(reference)) return;
  await tagInLayout(layout.directory, { tag: reference, descriptor: { mediaType, digest, size: bytes.length } }, call);
}

/** Its blobs may be another manifest's as well and stay for whoever collects garbage. */
async function removeManifest(layout: Layout, digest: Digest, call: CallOptions = {}): Promise<boolean> {
  const entries = await readLayoutIndex(layout.directory);
  if (entries.some((entry) => entry.digest === digest)) await untagInLayout(layout.directory, digest, call);
  await rm(blobPath(layout, digest), { force: true });
  return true;
}

const referring = v.object({
  config: v.optional(v.object({ digest: v.string() })),
  layers: v.optional(v.array(v.object({ digest: v.string(), mediaType: v.string() })), []),
  manifests: v.optional(v.array(v.object({ digest: v.string() })), []),
});

/** Layers that may be somewhere else by the intent of who made them. */
const foreign = /nondistributable|\.foreign\./;

/** Refuses what a registry would refuse as well, in the same form. */
async function refuseMissingBlobs(
  layout: Layout,
  { bytes, action }: { bytes: Uint8Array; action: string },
): Promise<void> {
  const parsed = v.safeParse(referring, readJson(bytes));
  if (!parsed.success) throw new LayerwiseError("REGISTRY_PROTOCOL", `could not ${action}: it is no manifest`);
  const { config, layers, manifests } = parsed.output;
  const needed = [
    ...(config === undefined ? [] : [config]),
    ...layers.filter((one) => !foreign.test(one.mediaType)),
    ...manifests,
  ];
  for (const { digest } of needed) {
    if (isDigest(digest) && (await sizeOf(blobPath(layout, digest))) !== undefined) continue;
    if (isDigest(digest) && (await layout.isElsewhere(digest))) continue;
    throw new LayerwiseError("REGISTRY_PROTOCOL", `could not ${action}: ${digest} is not there`, {
      details: { registryCodes: ["MANIFEST_BLOB_UNKNOWN"], missingBlob: true },
    });
  }
}

async function initialize({ directory }: Layout): Promise<void> {
  const marker = join(directory, "oci-layout");
  if ((await sizeOf(marker)) === undefined) await writeWhole(marker, [Buffer.from('{"imageLayoutVersion":"1.0.0"}')]);
}

/** Writes a file beside its place and moves it there when it is complete. */
async function writeWhole(
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { signal }: CallOptions = {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = join(dirname(path), `.unfinished-${randomUUID()}`);
  try {
    const file = await open(unfinished, "wx", 0o644);
    try {
      for await (const chunk of content) {
        signal?.throwIfAborted();
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await unlink(unfinished).catch(() => undefined);
    throw error;
  }
}

function blobPath({ directory }: Layout, digest: Digest): string {
  return join(directory, "blobs", "sha256", hexOf(digest));
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function guarded<T>(action: () => Promise<T>, { layout, signal }: { layout: Layout } & CallOptions): Promise<T> {
  try {
    signal?.throwIfAborted();
    return await action();
  } catch (error) {
    throw explain(error, { layout, signal });
  }
}

function explain(error: unknown, { layout, signal }: { layout: Layout } & CallOptions): unknown {
  if (error instanceof LayerwiseError) return error;
  if (signal?.aborted === true) return new LayerwiseError("CANCELLED", `could not use ${layout.name}: cancelled`);
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  return new LayerwiseError("DISK", `could not use ${layout.name}: ${message}`, {
    hint: code === "ENOSPC" ? "free some space on this disk" : "check that the directory can be read and written",
    cause: error,
  });
}
