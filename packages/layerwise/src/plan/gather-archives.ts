// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import type { BuildContext, CallOptions, ContextEntry } from "../ports.ts";
import { type ArchiveCompression, archiveHeadBytes, mayBeTar } from "../spec/archive-head.ts";
import { CompressionError, gunzippedWhole } from "../spec/compression.ts";
import { type Digest, startDigest } from "../spec/digest.ts";
import { type ReadEntry, startTarReader, TarError } from "../spec/tar-reader.ts";
import type { StepContent } from "./step-content.ts";

/** What is in a file that ADD may unpack. */
export type ArchiveListing =
  /** No archive, so that ADD copies it. */
  | { readonly kind: "file" }
  /** Its entries, in order; global headers are no entries. */
  | { readonly kind: "archive"; readonly entries: readonly ReadEntry[] }
  /** Engines may read it differently, or fail. */
  | { readonly kind: "unclear"; readonly why: string };

/** Files of the build context that ADD may unpack, by path. */
export type ArchiveListings = ReadonlyMap<string, ArchiveListing>;

/** Lists the archives among what steps select from the build context. Each is read once, from its begin to its end. */
export async function gatherArchives(
  contents: readonly StepContent[],
  { context, signal }: { context: BuildContext } & CallOptions,
): Promise<ArchiveListings> {
  const listings = new Map<string, ArchiveListing>();
  for (const { sources, archives, digests } of contents) {
    for (const { entry } of sources) {
      const compression = archives.get(entry.path);
      if (compression === undefined || listings.has(entry.path)) continue;
      const digest = digests.get(entry.path) as Digest;
      listings.set(entry.path, await listArchive(context, { entry, compression, digest, signal }));
    }
  }
  return listings;
}

interface Archive extends CallOptions {
  readonly entry: ContextEntry;
  readonly compression: ArchiveCompression;
  readonly digest: Digest;
}

async function listArchive(
  context: BuildContext,
  { entry, compression, digest, signal }: Archive,
): Promise<ArchiveListing> {
  if (compression !== "none" && compression !== "gzip") return { kind: "unclear", why: compression };
  const digester = startDigest();
  async function* digested(): AsyncGenerator<Uint8Array> {
    for await (const chunk of context.open(entry, { signal })) {
      digester.update(chunk);
      yield chunk;
    }
  }
  const bytes = compression === "gzip" ? gunzippedWhole(digested()) : digested();
  try {
    const listing = await readListing(bytes);
    if (listing.kind === "archive" && digester.digest() !== digest) throw changed(entry.path);
    return listing;
  } catch (error) {
    if (!(error instanceof TarError || error instanceof CompressionError)) throw error;
    return { kind: "unclear", why: error.message };
  }
}

/** Whether it is an archive its first block decides (BuildKit, solver/llbsolver/file, `isArchivePath`). */
async function readListing(bytes: AsyncIterable<Uint8Array>): Promise<ArchiveListing> {
  const entries: ReadEntry[] = [];
  const reader = startTarReader((entry) => void entries.push(entry));
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of bytes) {
    if (head === undefined) {
      reader.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < archiveHeadBytes) continue;
    if (!mayBeTar(head.subarray(0, archiveHeadBytes))) return { kind: "file" };
    reader.write(head);
    head = undefined;
  }
  if (head !== undefined) return { kind: "file" };
  reader.end();
  if (!reader.isEnded()) return { kind: "unclear", why: "its end is not marked" };
  return { kind: "archive", entries };
}

function changed(path: string): LayerwiseError {
  return new LayerwiseError("CONTEXT_CHANGED", `could not read ${path}: it changed during the build`, {
    hint: "build again when nothing writes into the build context",
  });
}
