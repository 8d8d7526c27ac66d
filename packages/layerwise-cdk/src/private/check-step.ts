// SPDX-License-Identifier: Apache-2.0
import type { BuildCompute } from "../build-compute";
import type { EngineFallback } from "../engine-fallback";
import type { LayerwiseImage } from "../layerwise-image";
import { refusal } from "./refuse";

/** A tag that names a commit needs a build that knows its own. */
export function checkCommit(
  id: string,
  { images, commitId }: { readonly images: readonly LayerwiseImage[]; readonly commitId?: string },
): void {
  const one = images.find(({ _plan }) => _plan.tagKind === "commit");
  if (one === undefined || (commitId !== undefined && commitId !== "")) return;
  throw refusal({
    what: `make the step ${id}`,
    why: `${one.node.path} is tagged with its commit, and the step is not told which one it builds`,
    fix: "give commitId: source.sourceAttribute('CommitId')",
  });
}

/** An engine builds for the platform of its machine. */
export function checkEngine(
  id: string,
  { images, engineFallback }: { readonly images: readonly LayerwiseImage[]; readonly engineFallback?: EngineFallback },
  { _settings }: BuildCompute,
): void {
  const { hasEngine, kind, architecture } = _settings;
  if (!hasEngine) return;
  if (engineFallback !== undefined) {
    throw refusal({
      what: `make the step ${id}`,
      why: `its compute, ${kind}, has an engine of its own, so nothing would use engineFallback`,
      fix: "leave engineFallback out",
    });
  }
  for (const { node, platforms } of images) {
    const other = platforms.find((platform) => platform !== architecture);
    if (other === undefined) continue;
    throw refusal({
      what: `build ${node.path} for ${other.platform}`,
      why: `the engine of the step ${id} is on ${architecture.platform}`,
      fix: "give the compute the architecture of the image, or leave compute to BuildCompute.lambda(), whose fallback has it",
    });
  }
}
