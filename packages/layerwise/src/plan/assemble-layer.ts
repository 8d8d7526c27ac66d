// SPDX-License-Identifier: Apache-2.0
import { copySources } from "./copy-sources.ts";
import { defaultMode, type FileTree, type LayerFile } from "./file-tree.ts";
import type { ArchiveListings } from "./gather-archives.ts";
import { resolveOwner } from "./owner.ts";
import { Refusal, refuseLayer } from "./refusal.ts";
import type { RouteReason } from "./route.ts";
import type { Step, WorkdirStep } from "./step.ts";
import { nothingSelected, type StepContent } from "./step-content.ts";

/** A layer computed without an engine, or why it cannot be. */
export type LayerDraft =
  | { readonly kind: "layer"; readonly files: readonly LayerFile[] }
  | { readonly kind: "refused"; readonly reason: RouteReason };

/** What a layer is computed from, beside the tree below it. */
export interface LayerInput {
  readonly step: Step;
  readonly content: StepContent | undefined;
  /** What is in the archives among the selected files. */
  readonly listings: ArchiveListings;
  /** The mtime of what no file of the build context gives a time, in seconds. */
  readonly fallbackTime: number;
}

/** Computes what a step does to the tree of the layers below it. Pure; changes `tree`. */
export function assembleLayer(tree: FileTree, { step, content, listings, fallbackTime }: LayerInput): LayerDraft {
  tree.startLayer();
  try {
    if (step.kind === "run") refuseLayer({ name: "run-executes", at: step.at });
    if (step.kind === "workdir") makeWorkdir(tree, { step, fallbackTime });
    else copySources(tree, { step, content: content ?? nothingSelected, listings, fallbackTime });
    return { kind: "layer", files: tree.endLayer() };
  } catch (error) {
    if (error instanceof Refusal && error.scope === "layer") {
      return { kind: "refused", reason: { at: step.at, ...error.reason } };
    }
    throw error;
  }
}

/** BuildKit's file operation `mkdir` (solver/llbsolver/file, `mkdir`). */
function makeWorkdir(tree: FileTree, { step, fallbackTime }: { step: WorkdirStep; fallbackTime: number }): void {
  const owner = step.user === "" ? undefined : resolveOwner(tree, step.user);
  tree.makeDirectories(tree.resolve(step.path), { owner, mode: defaultMode, mtime: fallbackTime });
}
