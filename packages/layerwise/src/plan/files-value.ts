// SPDX-License-Identifier: Apache-2.0
import type { ContextEntry } from "../ports.ts";
import { type Digest, digestOf } from "../spec/digest.ts";
import { listValue } from "./cache-key.ts";
import { nameOf } from "./context-files.ts";
import type { SelectedSource } from "./copy-selection.ts";
import type { StepContent } from "./step-content.ts";

/**
 * What a step selects from the build context, as one value of its key: relative path, type, permission bits, owner, link
 * target, content, capabilities. Not times, not where the context is. A directory stands for what is in it by a digest,
 * as in a Merkle tree, so that of the next revision only the directories that changed cost anything.
 */
export function filesValue(content: StepContent | undefined): string {
  if (content === undefined) return "";
  const own = listValue(content.sources.map((source) => sourceValue(source, content)));
  if (content.more === undefined) return own;
  // Mounts say what they read by name.
  const named = content.more.flatMap((one) => [one.context ?? "", filesValue(one)]);
  return listValue([content.context ?? "", own, ...named]);
}

/** What engines read differently is an input too: the same files are another image if all engines agree on them. */
function sourceValue(source: SelectedSource, content: StepContent): string {
  const disputed = source.disputed.length === 0 ? [] : ["read differently", listValue(source.disputed)];
  return listValue([...selectedFields(source, content), ...disputed]);
}

function selectedFields({ name, entry, below }: SelectedSource, content: StepContent): readonly string[] {
  const walk: Walk = { content, below, next: 0, firstNames: new Map() };
  // Of the context itself BuildKit gets only the content.
  if (entry.path === "") return ["context", digestBelow(walk, { directory: entry, prefix: "" })];
  const item = { path: "", entry };
  return ["entry", name, ...fieldsOf(entry, { digest: digestIn(walk, item), odd: oddityOf(walk, item) })];
}

/** Goes through what is below a source, each directory before its content. */
interface Walk {
  readonly content: StepContent;
  readonly below: SelectedSource["below"];
  next: number;
  /** The first name of each file with several, by file; names are relative to the source. */
  readonly firstNames: Map<string, string>;
}

/** What only few files have. */
interface Oddity {
  /** The name before this one of the same file. */
  readonly first: string;
  readonly capability: string;
}

/** The digest of what an entry holds; empty for a link. */
function digestIn(walk: Walk, { path, entry }: SelectedSource["below"][number]): string {
  if (entry.kind !== "directory") return walk.content.digests.get(entry.path) ?? "";
  return digestBelow(walk, { directory: entry, prefix: path === "" ? "" : `${path}/` });
}

function oddityOf({ content, firstNames }: Walk, { path, entry }: SelectedSource["below"][number]): Oddity | undefined {
  const hardLink = entry.kind === "file" ? entry.hardLink : undefined;
  const first = hardLink === undefined ? undefined : firstNames.get(hardLink);
  if (hardLink !== undefined && first === undefined) firstNames.set(hardLink, path);
  const capability = content.capabilities.size === 0 ? undefined : content.capabilities.get(entry.path);
  if (first === undefined && capability === undefined) return undefined;
  return { first: first ?? "", capability: capability ?? "" };
}

function fieldsOf(entry: ContextEntry, { digest, odd }: { digest: string; odd: Oddity | undefined }): string[] {
  const owner = `${entry.uid}:${entry.gid}`;
  if (entry.kind === "symlink") return ["symlink", owner, entry.target ?? ""];
  const mode = entry.mode.toString(8);
  if (entry.kind === "directory") return ["directory", mode, owner, digest];
  return ["file", mode, owner, digest, odd?.first ?? "", odd?.capability ?? ""];
}

/**
 * What directories held when they were last asked about, unless something odd is in them: in the next revision of a
 * context nearly all are as they were.
 */
const known = new WeakMap<ContextEntry, KnownDirectory>();

interface KnownDirectory {
  readonly entries: readonly ContextEntry[];
  /** Of what each of the entries holds. */
  readonly digests: readonly string[];
  readonly digest: Digest;
}

/** The digest of what is in a directory, which is next in the walk. */
function digestBelow(walk: Walk, { directory, prefix }: { directory: ContextEntry; prefix: string }): Digest {
  const entries: ContextEntry[] = [];
  const digests: string[] = [];
  const odd = new Map<ContextEntry, Oddity>();
  for (;;) {
    const item = walk.below[walk.next];
    if (item === undefined || !item.path.startsWith(prefix)) break;
    walk.next += 1;
    entries.push(item.entry);
    digests.push(digestIn(walk, item));
    const oddity = oddityOf(walk, item);
    if (oddity !== undefined) odd.set(item.entry, oddity);
  }
  const before = odd.size === 0 ? known.get(directory) : undefined;
  if (before !== undefined && isSame(before.entries, entries) && isSame(before.digests, digests)) return before.digest;
  let list = "";
  for (const [index, entry] of entries.entries()) {
    const fields = fieldsOf(entry, { digest: digests[index] as string, odd: odd.get(entry) });
    list += listValue([nameOf(entry.path), ...fields]);
  }
  const digest = digestOf(list);
  if (odd.size === 0) known.set(directory, { entries, digests, digest });
  return digest;
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}
