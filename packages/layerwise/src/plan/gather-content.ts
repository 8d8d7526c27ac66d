// SPDX-License-Identifier: Apache-2.0
import { createIgnoreMatcher, type IgnoreMatcher, parseIgnoreFile } from "../dockerfile/ignore.ts";
import type { Emit } from "../event.ts";
import type { BuildContext, CallOptions, ContextEntry, ContextTree } from "../ports.ts";
import { type ArchiveCompression, archiveCompression, archiveHeadBytes } from "../spec/archive-head.ts";
import type { Digest } from "../spec/digest.ts";
import { type ContextFiles, type ContextFilter, ignoring } from "./context-files.ts";
import { type SelectedSource, selectSource } from "./copy-selection.ts";
import { isRemote } from "./evaluate-step.ts";
import type { NamedContexts } from "./named-contexts.ts";
import { plainExcludes } from "./plain-excludes.ts";
import type { FileSource, Step } from "./step.ts";
import type { StepContent } from "./step-content.ts";
import { literalRoot, readsContext } from "./step-key.ts";

/** What every step that reads the build context or a named directory selects from it, hashed. */
export type ContentOf = ReadonlyMap<Step, StepContent>;

/** What selecting and hashing needs. */
export interface Gathering extends CallOptions {
  readonly context: BuildContext;
  readonly matcher: IgnoreMatcher;
  readonly directories?: NamedContexts["directories"];
  readonly emit: Emit;
}

/** One of the places that steps read, with the steps' selections. */
interface Place {
  readonly name: string | undefined;
  readonly gathering: Gathering;
  readonly selections: ReadonlyMap<Step, readonly SelectedSource[]>;
}

/**
 * Selects and hashes what the steps read from the build context. Only directories that a step can mean are listed,
 * and only selected files are read.
 */
export async function gatherContent(steps: readonly Step[], gathering: Gathering): Promise<ContentOf> {
  const content = new Map<Step, StepContent>();
  for (const place of await selectContent(steps, gathering)) {
    for (const [step, one] of await contentIn(place)) {
      const first = content.get(step);
      content.set(step, first === undefined ? one : { ...first, more: [...(first.more ?? []), one] });
    }
  }
  return content;
}

async function contentIn({ name, gathering, selections }: Place): Promise<ContentOf> {
  const selected = allFiles(selections.values());
  const digests = await hash(selected, gathering);
  const capabilities = await gathering.context.capabilities(selected, gathering);
  const content = new Map<Step, StepContent>();
  for (const [step, sources] of selections) {
    content.set(step, {
      context: name,
      sources,
      digests,
      archives: step.kind === "add" ? await archivesIn(sources, gathering) : new Map(),
      capabilities: capabilitiesIn(sources, capabilities),
    });
  }
  return content;
}

/** Each once. */
function allFiles(selections: Iterable<readonly SelectedSource[]>): readonly ContextEntry[] {
  const files = new Set<ContextEntry>();
  for (const sources of selections) {
    for (const { entry, below } of sources) {
      if (entry.kind === "file") files.add(entry);
      for (const item of below) if (item.entry.kind === "file") files.add(item.entry);
    }
  }
  return [...files];
}

/** Nearly no file has any. */
function capabilitiesIn(
  sources: readonly SelectedSource[],
  capabilities: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  if (capabilities.size === 0) return capabilities;
  const own = new Set(sources.flatMap(filesOf).map((entry) => entry.path));
  return new Map([...capabilities].filter(([path]) => own.has(path)));
}

/** Selects what the steps read from the build context and from named directories, for each that is read. */
export async function selectContent(steps: readonly Step[], gathering: Gathering): Promise<readonly Place[]> {
  const names = [undefined, ...[...(gathering.directories?.keys() ?? [])].sort()];
  const places: Place[] = [];
  for (const name of names) {
    const readers = steps.flatMap((step) => {
      const words = contextWords(step, name);
      return words.length === 0 ? [] : [{ step, words }];
    });
    if (readers.length === 0) continue;
    const there = await placeOf(name, gathering);
    const roots = new Set(readers.flatMap(({ words }) => words.map(literalRoot)));
    places.push({ name, gathering: there, selections: await select(readers, { ...there, roots }) });
  }
  return places;
}

/** For a named directory the ignore file in its root counts, and no other (BuildKit, frontend/dockerui, `load`). */
async function placeOf(name: string | undefined, gathering: Gathering): Promise<Gathering> {
  const context = name === undefined ? undefined : gathering.directories?.get(name);
  if (context === undefined) return gathering;
  const text = await context.text(".dockerignore", { signal: gathering.signal });
  const patterns = parseIgnoreFile(text ?? "", `.dockerignore of the build context ${name}`);
  return { ...gathering, context, matcher: createIgnoreMatcher(patterns) };
}

/** The words of a step that name something in the build context, or in the directory of a name. */
function contextWords(step: Step, name: string | undefined): readonly string[] {
  if (step.opaque !== undefined || step.kind === "workdir") return [];
  const isThere = (source: FileSource) => source.kind === "context" && source.name === name;
  if (step.kind === "run") {
    const mounts = step.mounts.filter((mount) => readsContext(mount) && isThere(mount.reads));
    return mounts.map((mount) => mount.source ?? "/");
  }
  return isThere(step.from) ? step.sources.filter((source) => step.kind === "copy" || !isRemote(source)) : [];
}

interface Reader {
  readonly step: Step;
  readonly words: readonly string[];
}

/** Lists and selects until no selection meets a directory that was left out. */
async function select(
  readers: readonly Reader[],
  gathering: Gathering & { roots: Set<string> },
): Promise<ReadonlyMap<Step, readonly SelectedSource[]>> {
  const { context, matcher, emit, roots, signal } = gathering;
  for (;;) {
    const skip = (directory: string) => matcher.canSkip(directory) || !isNear(directory, roots);
    const tree: ContextTree = await context.list(skip, { signal });
    emit({ kind: "context-listed", files: tree.size });
    const selected = selectAll(readers, filterOf(matcher)(tree));
    if (typeof selected !== "string") return selected;
    roots.add(selected);
  }
}

/** A matcher that is asked about several revisions of a context has one filter for all of them. */
const filters = new WeakMap<IgnoreMatcher, ContextFilter>();

function filterOf(matcher: IgnoreMatcher): ContextFilter {
  const filter = filters.get(matcher) ?? ignoring(matcher);
  filters.set(matcher, filter);
  return filter;
}

/** All selections, or a directory that must be listed for them. */
function selectAll(
  readers: readonly Reader[],
  files: ContextFiles,
): ReadonlyMap<Step, readonly SelectedSource[]> | string {
  const selections = new Map<Step, readonly SelectedSource[]>();
  for (const { step, words } of readers) {
    const sources: SelectedSource[] = [];
    const excludes = "excludes" in step ? plainExcludes(step.excludes) : undefined;
    for (const word of words) {
      const result = selectSource(files, { word, at: step.at, isPattern: step.kind !== "run", excludes });
      if (result.kind === "unlisted") return result.directory;
      sources.push(...result.sources);
    }
    selections.set(step, sources);
  }
  return selections;
}

/** Whether a directory is above, below or at one of the roots. */
function isNear(directory: string, roots: ReadonlySet<string>): boolean {
  for (const root of roots) {
    if (root === "" || directory === root) return true;
    if (directory.startsWith(`${root}/`) || root.startsWith(`${directory}/`)) return true;
  }
  return false;
}

function filesOf({ entry, below }: SelectedSource): readonly ContextEntry[] {
  return [entry, ...below.map((item) => item.entry)].filter((one) => one.kind === "file");
}

async function hash(
  files: readonly ContextEntry[],
  { context, emit, signal }: Gathering,
): Promise<ReadonlyMap<string, Digest>> {
  const digests = await context.digests(files, { signal });
  const byPath = new Map<string, Digest>();
  let bytes = 0;
  for (const [index, file] of files.entries()) {
    byPath.set(file.path, digests[index] as Digest);
    bytes += file.size;
  }
  emit({ kind: "context-hashed", files: files.length, bytes });
  return byPath;
}

/** ADD unpacks files that are named by a source word themselves, not those inside a directory. */
async function archivesIn(
  sources: readonly SelectedSource[],
  { context, signal }: Gathering,
): Promise<ReadonlyMap<string, ArchiveCompression>> {
  const archives = new Map<string, ArchiveCompression>();
  for (const { entry } of sources) {
    if (entry.kind !== "file") continue;
    const compression = archiveCompression(await headOf(context, { entry, signal }));
    if (compression !== undefined) archives.set(entry.path, compression);
  }
  return archives;
}

async function headOf(
  context: BuildContext,
  { entry, signal }: { entry: ContextEntry } & CallOptions,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of context.open(entry, { signal })) {
    parts.push(Uint8Array.from(chunk));
    length += chunk.length;
    if (length >= archiveHeadBytes) break;
  }
  return Buffer.concat(parts).subarray(0, archiveHeadBytes);
}
