// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { type DirectoryNode, mergeLayers } from "../spec/file-view.ts";
import type { LayerFiles } from "../spec/layer-files.ts";
import { assembleLayer } from "./assemble-layer.ts";
import type { Chain, ChainStep } from "./chain.ts";
import { engineOnly } from "./engine-only.ts";
import { openFileTree, UnlistedError } from "./file-tree.ts";
import type { ArchiveListings } from "./gather-archives.ts";
import type { ContentOf } from "./gather-content.ts";
import type { AssembleWork, PlannedLayer } from "./plan.ts";
import type { Recalled } from "./recall.ts";
import type { RouteReason } from "./route.ts";
import type { Step } from "./step.ts";
import { mayTransplant, type Transplant, transplantLayer } from "./transplant.ts";

/** What of a chain is not behind its checkpoint. */
export function stepsLeft(chain: Chain, start: Recalled | undefined): readonly ChainStep[] {
  return chain.steps.slice(start?.position ?? 0);
}

/** Why what is left needs an engine whatever is below it; empty if it may be assembled. */
export function engineReasons(left: readonly ChainStep[]): readonly RouteReason[] {
  return left.map(({ step }) => engineOnly(step)).filter((reason) => reason !== undefined);
}

/** Whether no step needs an engine if each COPY --from has a recorded layer. */
export function mayBeAssembled(left: readonly ChainStep[]): boolean {
  return left.every(({ step }) => engineOnly(step) === undefined || mayTransplant(step));
}

/** Layers that were assembled, or why one cannot be. */
export type Assembled =
  | { readonly kind: "layers"; readonly layers: AssembleWork["layers"] }
  | { readonly kind: "refused"; readonly reason: RouteReason };

interface Left {
  readonly left: readonly ChainStep[];
  readonly below: readonly LayerFiles[];
  readonly content: ContentOf;
  readonly archives: ArchiveListings;
  /** Recorded layers of COPY --from steps; one that fits is taken as it is. */
  readonly transplants: ReadonlyMap<Step, Transplant>;
}

/** How often the layers below are merged again for some more directories, before all are listed. */
const maxPartialMerges = 6;

/** Computes the layers that are left, on the merged tree of the layers below. Pure. */
export function assembleLeft(chain: Chain, work: Left): Assembled {
  const listed = new Set(["", ...work.left.flatMap(({ step }) => places(step, work))]);
  for (let merges = 0; merges < maxPartialMerges; merges++) {
    try {
      return assembleOn(mergeLayers(work.below, listed), { ...work, chain });
    } catch (error) {
      if (!(error instanceof UnlistedError)) throw error;
      for (const path of lineage(error.path)) listed.add(path);
    }
  }
  return assembleOn(mergeLayers(work.below), { ...work, chain });
}

/** The directories that a step writes into or looks at, if no link leads elsewhere. */
function places(step: Step, { content, archives }: Pick<Left, "content" | "archives">): readonly string[] {
  if (step.kind === "run") return [];
  if (step.kind === "workdir") return lineage(step.path);
  const unpacked = new Set<string>();
  for (const { entry } of content.get(step)?.sources ?? []) {
    const listing = archives.get(entry.path);
    if (step.kind === "copy" || listing?.kind !== "archive") continue;
    for (const { path } of listing.entries) unpacked.add(posix.dirname(path));
  }
  return [step.destination, ...[...unpacked].map((path) => `${step.destination}/${path}`)].flatMap(lineage);
}

/** A path and all above it. */
function lineage(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

function assembleOn(
  view: DirectoryNode,
  { chain, left, content, archives, transplants }: Left & { readonly chain: Chain },
): Assembled {
  const tree = openFileTree(view);
  const layers: PlannedLayer[] = [];
  for (const one of left) {
    const { step } = one;
    const transplant = transplants.get(step);
    const draft =
      transplant === undefined
        ? assembleLayer(tree, { step, content: content.get(step), listings: archives, fallbackTime: baseTime(chain) })
        : transplantLayer(tree, { step, transplant });
    if (draft.kind === "refused") return draft;
    layers.push({ step: one, files: draft.files, transplant });
  }
  return { kind: "layers", layers };
}

/** Directories that no source gives a time get the base's: the same inputs make the same layer. */
function baseTime({ base }: Chain): number {
  const time = Date.parse(base?.config.created ?? "");
  return Number.isNaN(time) || time < 0 ? 0 : Math.floor(time / 1000);
}
