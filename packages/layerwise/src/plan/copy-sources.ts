// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import type { ContextEntry } from "../ports.ts";
import type { Digest } from "../spec/digest.ts";
import { isUtf8Name } from "../spec/file-name.ts";
import { addArchive } from "./add-archive.ts";
import { certainDirectoryMode, certainMode, documentTarget, type ModeTarget, modeTargetOf } from "./certain-mode.ts";
import type { SelectedSource } from "./copy-selection.ts";
import { engineContent } from "./engine-only.ts";
import { type DirectoryAttributes, defaultMode, type FileTree, type NewDirectory, type Owner } from "./file-tree.ts";
import type { ArchiveListing, ArchiveListings } from "./gather-archives.ts";
import { refuseLinkedCopy } from "./linked-copy.ts";
import { resolveOwner } from "./owner.ts";
import { refuseLayer } from "./refusal.ts";
import type { CopyStep } from "./step.ts";
import type { StepContent } from "./step-content.ts";

/** A COPY or ADD, and what is known of what it selects. */
export interface Copying {
  readonly step: CopyStep;
  readonly content: StepContent;
  readonly listings: ArchiveListings;
  readonly fallbackTime: number;
}

interface CopyRun {
  readonly tree: FileTree;
  readonly content: StepContent;
  readonly destination: string;
  /** Owner from --chown; undefined: the source's own. */
  readonly owner: Owner | undefined;
  /** Value of --chmod. */
  readonly chmod: string | undefined;
  /** For directories on the way to the destination. */
  readonly parents: NewDirectory;
  /** Where each hard-linked file was put first. */
  readonly links: Map<string, string>;
}

/** Does what a COPY or ADD from the build context does to the tree of the layers below it. */
export function copySources(tree: FileTree, copying: Copying): void {
  const { step, content, fallbackTime } = copying;
  const refused = engineContent(step, content);
  if (refused !== undefined) refuseLayer(refused);
  if (step.link) refuseLinkedCopy(tree, { step, content });
  const owner = step.chown === undefined ? undefined : resolveOwner(tree, step.chown);
  const run: Omit<CopyRun, "links"> = {
    tree,
    content,
    destination: step.destination,
    owner,
    chmod: step.chmod,
    parents: {
      owner,
      mode: defaultMode,
      mtime: content.sources.length === 0 ? fallbackTime : newest(content.sources),
    },
  };
  // Hard links are kept within one source, as each source is a copy of its own.
  for (const source of content.sources) {
    const listing = listingOf(source, copying);
    if (listing.kind === "file") copySource({ ...run, links: new Map() }, source);
    else addArchive(tree, { step, content, parents: run.parents, listing, file: source.entry });
  }
  // BuildKit copies them last, wherever they stand (dockerfile2llb, `dispatchCopy`).
  for (const document of step.heredocs) copyDocument({ ...run, links: new Map() }, { document, mtime: fallbackTime });
}

/** Only ADD has archives. */
function listingOf({ entry }: SelectedSource, { content, listings }: Copying): ArchiveListing {
  if (!content.archives.has(entry.path)) return { kind: "file" };
  return listings.get(entry.path) ?? { kind: "unclear", why: "it was not read" };
}

/** fsutil/copy, `Copy` and `prepareTargetDir`. */
function copySource(run: CopyRun, source: SelectedSource): void {
  if (source.entry.kind !== "directory") {
    copyFile(run, { entry: source.entry, target: fileTarget(run, source.name) });
    return;
  }
  const { tree } = run;
  const target = startTarget(run);
  makeParents(run, tree.at(target) === undefined ? target : parentOf(target));
  if (tree.at(target)?.kind !== "directory")
    refuseLayer({ name: "destination-conflict", detail: `/${target} is no directory` });
  for (const { path, entry } of source.below) copyBelow(run, { entry, target: joined(target, path) });
  for (const path of source.leftOut) refuseInTheWay(tree, joined(target, path));
}

/** Engines look for what lies in a directory that is left out at its place in the image. */
function refuseInTheWay(tree: FileTree, path: string): void {
  const node = tree.at(path);
  if (node === undefined || node.kind === "directory") return;
  refuseLayer({ name: "destination-conflict", detail: `/${path} is no directory` });
}

/** The destination with its links resolved, the directories above it made. */
function startTarget(run: CopyRun): string {
  const { tree, destination } = run;
  makeParents(run, tree.resolve(destination.endsWith("/") ? destination : posix.dirname(destination)));
  return tree.resolve(destination);
}

/** Where a file goes that is copied by itself. */
function fileTarget(run: CopyRun, name: string): string {
  const start = startTarget(run);
  const target = run.tree.at(start)?.kind === "directory" ? joined(start, name) : start;
  makeParents(run, parentOf(target));
  return target;
}

/** A here-document is a file of root that everybody may read, unless the instruction says otherwise. */
function copyDocument(
  run: CopyRun,
  { document, mtime }: { document: CopyStep["heredocs"][number]; mtime: number },
): void {
  const { uid, gid } = run.owner ?? { uid: 0, gid: 0 };
  const target = fileTarget(run, document.name);
  const mode = modeOf(run, documentTarget);
  run.tree.putFile(target, { kind: "document", text: document.content, uid, gid, mode, mtime });
}

/** Engines of different age give such directories different modes when --chmod is there. */
function makeParents(run: CopyRun, path: string): void {
  if (run.chmod !== undefined && run.tree.at(path) === undefined) {
    if (certainDirectoryMode(run.chmod, run.parents.mode) === undefined)
      refuseLayer({ name: "copy-chmod", detail: `/${path} must be created` });
  }
  run.tree.makeDirectories(path, run.parents);
}

interface Placed {
  readonly entry: ContextEntry;
  readonly target: string;
}

function copyBelow(run: CopyRun, { entry, target }: Placed): void {
  if (entry.kind === "directory") run.tree.putDirectory(target, attributesOf(run, entry), { overwrite: true });
  else copyFile(run, { entry, target });
}

function copyFile(run: CopyRun, { entry, target }: Placed): void {
  if (!isUtf8Name(target)) refuseLayer({ name: "name-unsupported", detail: target });
  const attributes = attributesOf(run, entry);
  if (entry.kind === "symlink") {
    const { target: leadsTo = "" } = entry;
    if (!isUtf8Name(leadsTo)) refuseLayer({ name: "name-unsupported", detail: leadsTo });
    run.tree.putFile(target, { ...attributes, mode: 0o777, kind: "symlink", target: leadsTo });
    return;
  }
  const first = entry.hardLink === undefined ? undefined : run.links.get(entry.hardLink);
  if (first !== undefined) {
    run.tree.putFile(target, { ...attributes, kind: "hardlink", target: first });
    return;
  }
  if (entry.hardLink !== undefined) run.links.set(entry.hardLink, target);
  run.tree.putFile(target, {
    ...attributes,
    kind: "file",
    from: entry,
    digest: run.content.digests.get(entry.path) as Digest,
  });
}

/** fsutil/copy, `copyFileInfo`: owner and mode of the source unless the instruction gives others. */
function attributesOf(run: CopyRun, entry: ContextEntry): DirectoryAttributes {
  const { uid, gid } = run.owner ?? entry;
  const mode = entry.kind === "symlink" ? entry.mode : modeOf(run, modeTargetOf(entry));
  return { uid, gid, mode, mtime: entry.mtime };
}

function modeOf({ chmod }: CopyRun, target: ModeTarget): number {
  if (chmod === undefined) return target.mode;
  return certainMode(chmod, target) ?? refuseLayer({ name: "copy-chmod", detail: chmod });
}

function newest(sources: readonly SelectedSource[]): number {
  let time = 0;
  for (const { entry, below } of sources) {
    time = Math.max(time, entry.mtime);
    for (const item of below) time = Math.max(time, item.entry.mtime);
  }
  return time;
}

function joined(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}
