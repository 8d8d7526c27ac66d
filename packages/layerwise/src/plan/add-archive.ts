// SPDX-License-Identifier: Apache-2.0
import type { ContextEntry } from "../ports.ts";
import type { ArchiveCompression } from "../spec/archive-head.ts";
import type { Digest } from "../spec/digest.ts";
import type { FileTree, NewDirectory } from "./file-tree.ts";
import type { ArchiveListing } from "./gather-archives.ts";
import type { CopyStep } from "./step.ts";
import type { StepContent } from "./step-content.ts";
import { refuseArchive, unpackArchive } from "./unpack-archive.ts";

/** An archive among the sources of an ADD. */
export interface Adding {
  readonly step: CopyStep;
  readonly content: StepContent;
  readonly file: ContextEntry;
  readonly listing: Exclude<ArchiveListing, { kind: "file" }>;
  /** For the destination, if it is not there, and directories on the way to it. */
  readonly parents: NewDirectory;
}

/** BuildKit's `unpack` (solver/llbsolver/file): the destination is a directory, with or without a slash. */
export function addArchive(tree: FileTree, { step, content, file, listing, parents }: Adding): void {
  if (listing.kind === "unclear") refuseArchive(file, listing.why);
  // Engines of different age disagree on what these flags mean here.
  if (step.chown !== undefined) refuseArchive(file, "with --chown");
  if (step.chmod !== undefined) refuseArchive(file, "with --chmod");
  if (step.excludes.length > 0) refuseArchive(file, "with --exclude");
  if (step.link) refuseArchive(file, "with --link");
  const root = tree.resolve(step.destination);
  tree.makeDirectories(root, parents);
  const archive = {
    file,
    digest: content.digests.get(file.path) as Digest,
    compression: content.archives.get(file.path) as ArchiveCompression,
  };
  unpackArchive(tree, { archive, entries: listing.entries, root, newDirectoryTime: parents.mtime });
}
