// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import type { CallOptions, ContextEntry, RevisionContext, RevisionNote } from "../../ports.ts";
import { type Digest, digestOf } from "../../spec/digest.ts";
import { decodeLfsPointer, maxPointerBytes } from "../../spec/git-object.ts";
import { startProcess } from "../process.ts";
import type { GitBlobDigest } from "./git-objects.ts";
import type { GitPlace } from "./git-place.ts";
import { gitEnvironment, gitFailure } from "./git-process.ts";
import { missing } from "./git-trees.ts";
import { type ListingStore, listRevision, type RevisionPlace } from "./revision-listing.ts";

/** Largest blob that is read as a whole, in bytes. */
const maxWholeBytes = 1024 * 1024;

/** What the contexts of all commits share, so that each object is read once. */
export interface RevisionStore extends ListingStore {
  readonly place: GitPlace;
  /** Digests of blobs, by name. */
  readonly digests: Map<string, BlobDigest>;
  /** The same by entry: the shorter way for what was asked for in another commit. */
  readonly counted: WeakMap<ContextEntry, BlobDigest>;
}

/** The digest that a file counts with. */
interface BlobDigest {
  readonly digest: Digest;
  readonly isPointer: boolean;
}

/** Opens a directory of a commit as build context, as a checkout would have it. */
export function openRevisionContext(
  store: RevisionStore,
  { directory, ...place }: RevisionPlace & { directory: string },
): RevisionContext {
  const notes = new Map<string, RevisionNote>();
  const note = (one: RevisionNote) => void notes.set(`${one.kind} ${one.path}`, one);
  const at = `${store.place.directory} at ${place.commit.id.slice(0, 12)}`;
  return {
    name: directory === "" ? at : `${directory} of ${at}`,
    location: { kind: "none" },
    list: async (skip, call) => await listRevision(store, { ...place, ...call, skip, note }),
    digests: async (files, call) => await digestsOf(store, { files, note, ...call }),
    open: (file, call) => openBlob(store, { file, ...call }),
    text: async (path, call) => await textAt(store, { tree: place.tree, path, ...call }),
    // git keeps no extended attributes.
    capabilities: async () => new Map(),
    notes: () => [...notes.values()],
  };
}

async function digestsOf(
  { objects, digests, contents, counted }: RevisionStore,
  { files, note, signal }: { files: readonly ContextEntry[]; note: (note: RevisionNote) => void } & CallOptions,
): Promise<Digest[]> {
  const wanted = new Set<string>();
  for (const file of files) {
    const id = counted.has(file) ? undefined : contents.get(file);
    if (typeof id === "string" && !digests.has(id)) wanted.add(id);
  }
  const names = [...wanted];
  const read = await objects.digests(names, { keep: maxPointerBytes, signal });
  for (const [index, id] of names.entries()) digests.set(id, countedDigest(read[index] ?? missing(id)));
  return files.map((file) => {
    let known = counted.get(file);
    if (known === undefined) {
      const content = contents.get(file);
      if (content === undefined) throw unknown(file);
      known =
        typeof content === "string"
          ? (digests.get(content) as BlobDigest)
          : { digest: digestOf(content), isPointer: false };
      counted.set(file, known);
    }
    if (known.isPointer) note({ kind: "lfs", path: file.path, detail: known.digest });
    return known.digest;
  });
}

/** A pointer counts with the content that it stands for, as a checkout with Git LFS has it. */
function countedDigest({ digest, bytes }: GitBlobDigest): BlobDigest {
  const pointer = bytes === undefined ? undefined : decodeLfsPointer(bytes);
  return pointer === undefined ? { digest, isPointer: false } : { digest: `sha256:${pointer.hex}`, isPointer: true };
}

async function* openBlob(
  { place, objects, contents, sizes }: RevisionStore,
  { file, signal }: { file: ContextEntry } & CallOptions,
): AsyncGenerator<Uint8Array> {
  const id = contents.get(file);
  if (id === undefined) throw unknown(file);
  if (typeof id !== "string") {
    yield id;
    return;
  }
  if ((sizes.get(id) ?? 0) <= maxWholeBytes) {
    yield ((await objects.read(id, { signal })) ?? missing(id)).bytes;
    return;
  }
  const { directory, env } = place;
  const running = startProcess("git", ["cat-file", "blob", id], { cwd: directory, env: gitEnvironment(env), signal });
  for await (const chunk of running.stdout) yield chunk;
  const end = await running.ended;
  if (end.kind !== "exited" || end.exitCode !== 0) throw gitFailure(end, { what: `read ${file.path}`, directory });
}

/** A small file's text, from a tree on; undefined if it is not there. */
export async function textAt(
  { objects, trees }: Pick<RevisionStore, "objects" | "trees">,
  { tree, path, signal }: { tree: string; path: string } & CallOptions,
): Promise<string | undefined> {
  const entry = await trees.find(tree, path, { signal });
  if (entry?.kind !== "file") return undefined;
  return ((await objects.read(entry.id, { signal })) ?? missing(entry.id)).bytes.toString("utf8");
}

function unknown(file: ContextEntry): LayerwiseError {
  return new LayerwiseError("CONTEXT_UNREADABLE", `could not read ${file.path}: it is no file of this revision`);
}
