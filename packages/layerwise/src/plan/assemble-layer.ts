// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import type { ContextEntry } from "../ports.ts";
import type { Digest } from "../spec/digest.ts";
import { isUtf8Name } from "../spec/file-name.ts";
import type { SelectedSource } from "./copy-selection.ts";
import { isRemote } from "./evaluate-step.ts";
import type { DirectoryAttributes, FileTree, LayerFile, NewDirectory, Owner } from "./file-tree.ts";
import { resolveOwner } from "./owner.ts";
import { Refusal, refuseLayer } from "./refusal.ts";
import type { RouteReason } from "./route.ts";
import type { CopyStep, Step, WorkdirStep } from "./step.ts";
import { literalRoot } from "./step-key.ts";

/** What the build context says about a COPY or ADD. */
export interface StepContent {
  readonly sources: readonly SelectedSource[];
  /** Digests of the selected files' contents, by path in the context. */
  readonly digests: ReadonlyMap<string, Digest>;
  /** Selected files that ADD would unpack. */
  readonly archives: readonly string[];
  /** Selected files with extended attributes that a layer keeps, and which ones. */
  readonly capabilities: ReadonlyMap<string, string>;
}

/** A layer computed without an engine, or why it cannot be. */
export type LayerDraft =
  | { readonly kind: "layer"; readonly files: readonly LayerFile[] }
  | { readonly kind: "refused"; readonly reason: RouteReason };

/**
 * Computes what a step does to the tree of the layers below it. Pure; changes `tree`.
 *
 * @param fallbackTime mtime of directories that a WORKDIR makes, in seconds
 */
export function assembleLayer(
  tree: FileTree,
  { step, content, fallbackTime }: { step: Step; content: StepContent | undefined; fallbackTime: number },
): LayerDraft {
  tree.startLayer();
  try {
    if (step.kind === "run") refuseLayer({ name: "run-executes", at: step.at });
    if (step.kind === "workdir") makeWorkdir(tree, { step, fallbackTime });
    else copySources(tree, { step, content: content as StepContent });
    return { kind: "layer", files: tree.endLayer() };
  } catch (error) {
    if (error instanceof Refusal && error.scope === "layer") {
      return { kind: "refused", reason: { at: step.at, ...error.reason } };
    }
    throw error;
  }
}

/** Why a step could never be assembled, whatever is below it; undefined if it could. */
export function engineOnly(step: Step): RouteReason | undefined {
  const { at } = step;
  if (step.opaque !== undefined) return step.opaque;
  if (step.kind === "workdir") return undefined;
  if (step.kind === "run") return { name: "run-executes", at };
  if (step.from.kind !== "context") return { name: "copy-from", at };
  if (step.kind === "add" && step.sources.some(isRemote)) return { name: "add-remote", at };
  if (step.heredocs.length > 0) return { name: "copy-heredoc", at };
  if (step.link) return { name: "copy-link", at };
  if (step.parents) return { name: "copy-parents", at };
  if (step.excludes.length > 0) return { name: "copy-exclude", at };
  if (step.unpack !== undefined) return { name: "instruction-form", detail: "--unpack", at };
  if (step.chmod !== undefined && !/^0*[0-7]{1,3}$/.test(step.chmod))
    return { name: "copy-chmod", detail: step.chmod, at };
  return undefined;
}

/** BuildKit's file operation `mkdir` (solver/llbsolver/file, `mkdir`). */
function makeWorkdir(tree: FileTree, { step, fallbackTime }: { step: WorkdirStep; fallbackTime: number }): void {
  const owner = step.user === "" ? undefined : resolveOwner(tree, step.user);
  tree.makeDirectories(tree.resolve(step.path), { owner, mode: defaultMode, mtime: fallbackTime });
}

const defaultMode = 0o755;

interface CopyRun {
  readonly tree: FileTree;
  readonly content: StepContent;
  readonly destination: string;
  /** Owner from --chown; undefined: the source's own. */
  readonly owner: Owner | undefined;
  /** Mode from --chmod. */
  readonly mode: number | undefined;
  /** For directories on the way to the destination. */
  readonly parents: NewDirectory;
  /** Where each hard-linked file was put first. */
  readonly links: Map<string, string>;
}

/** Why what a step selects from the build context is the engine's, whatever is below it; undefined if it is not. */
export function engineContent(step: CopyStep, content: StepContent): RouteReason | undefined {
  const { at } = step;
  const [archive] = content.archives;
  if (archive !== undefined) return { name: "add-archive", detail: archive, at };
  // Engines fetch only what is matched, and some then miss the directory.
  const missed = step.sources.find(
    (word) => literalRoot(word) !== "" && !content.sources.some((one) => one.word === word),
  );
  if (missed !== undefined) return { name: "instruction-form", detail: `${missed} matches nothing`, at };
  const [capable] = content.capabilities.keys();
  if (capable !== undefined) return { name: "file-capability", detail: capable, at };
  const disputed = content.sources.find((source) => source.disputed !== undefined)?.disputed;
  return disputed === undefined ? undefined : { name: "ignore-exception", detail: disputed, at };
}

function copySources(tree: FileTree, { step, content }: { step: CopyStep; content: StepContent }): void {
  const refused = engineContent(step, content);
  if (refused !== undefined) refuseLayer(refused);
  const owner = step.chown === undefined ? undefined : resolveOwner(tree, step.chown);
  const run: Omit<CopyRun, "links"> = {
    tree,
    content,
    destination: step.destination,
    owner,
    mode: step.chmod === undefined ? undefined : Number.parseInt(step.chmod, 8),
    parents: { owner, mode: defaultMode, mtime: newest(content.sources) },
  };
  // Hard links are kept within one source, as each source is a copy of its own.
  for (const source of content.sources) copySource({ ...run, links: new Map() }, source);
}

/** fsutil/copy, `Copy` and `prepareTargetDir`. */
function copySource(run: CopyRun, source: SelectedSource): void {
  const { tree, destination } = run;
  const isDirectory = source.entry.kind === "directory";
  makeParents(run, tree.resolve(destination.endsWith("/") ? destination : posix.dirname(destination)));
  let target = tree.resolve(destination);
  const existing = tree.at(target);
  if (!isDirectory && existing?.kind === "directory") target = joined(target, source.name);
  makeParents(run, isDirectory && existing === undefined ? target : parentOf(target));
  if (!isDirectory) {
    copyFile(run, { entry: source.entry, target });
    return;
  }
  if (tree.at(target)?.kind !== "directory")
    refuseLayer({ name: "destination-conflict", detail: `/${target} is no directory` });
  for (const { path, entry } of source.below) copyBelow(run, { entry, target: joined(target, path) });
}

/** Engines of different age give such directories different modes when --chmod is there. */
function makeParents(run: CopyRun, path: string): void {
  if (run.mode !== undefined && run.tree.at(path) === undefined) {
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
  if (run.mode !== undefined && (entry.mode & 0o7000) !== 0) {
    refuseLayer({ name: "copy-chmod", detail: `${entry.path} has special mode bits` });
  }
  return { uid, gid, mode: run.mode ?? entry.mode, mtime: entry.mtime };
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
