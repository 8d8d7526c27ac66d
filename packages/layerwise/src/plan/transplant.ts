// SPDX-License-Identifier: Apache-2.0
import type { Repository } from "../ports.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import type { PlacedEntry } from "../spec/file-view.ts";
import type { LayerFiles } from "../spec/layer-files.ts";
import { formatPlatform, type Platform } from "../spec/platform.ts";
import { assembleLayer, type LayerDraft } from "./assemble-layer.ts";
import { type CacheKey, cacheKeyOf } from "./cache-key.ts";
import type { Chain, ChainStep } from "./chain.ts";
import type { SelectedSource } from "./copy-selection.ts";
import { engineOnly } from "./engine-only.ts";
import type { FileTree, LayerFile } from "./file-tree.ts";
import type { CopyStep, Step } from "./step.ts";

/** A layer of a COPY --from that is recorded, and where it is. */
export interface Transplant {
  readonly descriptor: Descriptor;
  readonly repository: Repository;
  readonly files: LayerFiles;
  /** The chain ID of the layers that it was copied from; `scratch` if there are none. */
  readonly from: string;
  readonly sources: readonly SelectedSource[];
}

/** A COPY from another stage or an image. */
export type CopyFromStep = CopyStep & { readonly from: Exclude<CopyStep["from"], { kind: "context" }> };

/**
 * Whether a step is a COPY --from whose layer may stand on other layers than those that it was made on: what it does
 * must be known as it is of a COPY from the build context. With --link the layer depends on the image store.
 */
export function mayTransplant(step: Step): step is CopyFromStep {
  if (step.kind !== "copy" || step.from.kind === "context") return false;
  if (step.link || step.excludes.length > 0 || step.heredocs.length > 0) return false;
  return engineOnly({ ...step, from: { kind: "context" } }) === undefined;
}

/** The key of what a COPY --from does, whatever is below it: the source, the platform and the instruction. */
export function transplantKey({ step, key }: ChainStep, platform: Platform): CacheKey | undefined {
  if (key === undefined || !mayTransplant(step)) return undefined;
  return cacheKeyOf([
    { name: "kind", value: "transplant 1" },
    { name: "platform", value: formatPlatform(platform) },
    ...key.inputs.filter(({ name }) => name !== "parent" && name !== "kind"),
  ]);
}

/**
 * The steps of a chain whose layers are worth being recorded, as positions: a later build may make something before
 * them and needs no engine for it. That is where a step before it does not need one, behind the last that always does;
 * or where none does, since the base may be another one.
 */
export function transplantPositions({ steps, base }: Pick<Chain, "steps" | "base">): readonly number[] {
  const last = steps.findLastIndex((one) => one.needsEngine && !mayTransplant(one.step));
  const positions: number[] = [];
  let mayChange = last === -1 && base !== undefined;
  for (const [index, one] of steps.entries()) {
    if (index <= last) continue;
    if (one.key === undefined) break;
    if (!one.needsEngine) mayChange = true;
    else if (mayChange) positions.push(index + 1);
  }
  return positions;
}

/** Does a COPY --from to the tree of the layers below it. The files that it puts there are without content. */
export function copyFrom(
  tree: FileTree,
  { step, sources }: { step: Step; sources: readonly SelectedSource[] },
): LayerDraft {
  const content = { sources, digests: new Map(), archives: new Map(), capabilities: new Map() };
  return assembleLayer(tree, { step, content, listings: new Map(), fallbackTime: 0 });
}

/**
 * The same, if the recorded layer has exactly these entries; times do not count. Each of its files was copied from an
 * equal source, so the layer is then what an engine would make. What an engine left out of it, since the layers below
 * had it already, is missing here.
 */
export function transplantLayer(
  tree: FileTree,
  { step, transplant: { files, sources } }: { step: Step; transplant: Pick<Transplant, "files" | "sources"> },
): LayerDraft {
  const made = copyFrom(tree, { step, sources });
  if (made.kind === "refused") return made;
  const difference = layerDifference(made.files, files);
  if (difference !== undefined)
    return { kind: "refused", reason: { name: "copy-from", detail: difference, at: step.at } };
  // Layers above have entries for these directories, with the times that they have here.
  for (const entry of files.directories.flatMap(({ entries }) => [...entries])) {
    const node = tree.at(entry.path);
    if (entry.kind === "directory" && node?.kind === "directory")
      tree.putDirectory(entry.path, { ...node, mtime: entry.mtime }, { overwrite: true });
  }
  return made;
}

/** The first thing in which a recorded layer is not what has been computed; undefined if nothing is. */
export function layerDifference(computed: readonly LayerFile[], { directories }: LayerFiles): string | undefined {
  const recorded = new Map<string, PlacedEntry>();
  for (const { entries } of directories) {
    for (const entry of entries) {
      if (entry.kind === "whiteout" || entry.kind === "opaque") return `the recorded layer deletes /${entry.path}`;
      recorded.set(entry.path, entry);
    }
  }
  for (const file of computed) {
    const entry = recorded.get(file.path);
    if (entry === undefined) return `the recorded layer does not have /${file.path}`;
    const [wanted, found] = [describeFile(file), describeEntry(entry)];
    if (wanted !== found) return `/${file.path} is a ${found} in the recorded layer, and would be a ${wanted}`;
    recorded.delete(file.path);
  }
  const [more] = recorded.keys();
  return more === undefined ? undefined : `the recorded layer also has /${more}`;
}

function describeFile(file: LayerFile): string {
  const { kind, mode, uid, gid } = file;
  if (kind === "symlink") return `link to ${file.target} of ${uid}:${gid}`;
  return described(kind === "directory" ? "directory" : "file", { mode, uid, gid });
}

function describeEntry(entry: PlacedEntry): string {
  const { uid, gid } = entry;
  if (entry.kind === "symlink") return `link to ${entry.target} of ${uid}:${gid}`;
  return described(entry.kind, { mode: entry.mode, uid, gid });
}

function described(kind: string, { mode, uid, gid }: { mode: number; uid: number; gid: number }): string {
  return `${kind} of mode ${mode.toString(8).padStart(4, "0")} and owner ${uid}:${gid}`;
}
