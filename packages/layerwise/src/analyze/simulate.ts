// SPDX-License-Identifier: Apache-2.0

import { type Chain, type ChainStep, checkpointPositions, endKey } from "../plan/chain.ts";
import type { Draft } from "../plan/draft-chains.ts";
import { engineContent, engineOnly } from "../plan/engine-only.ts";
import { redeclaredArgs, stateAt } from "../plan/resume-config.ts";
import type { Route, RouteReason } from "../plan/route.ts";
import { mayBeAssembled } from "../plan/settle.ts";
import { startStages } from "../plan/stage-starts.ts";
import { mayTransplant, transplantKey } from "../plan/transplant.ts";
import { recordable } from "../publish/save-transplants.ts";
import { stagesWorthSaving } from "../publish/save-what-was-made.ts";
import type { Digest } from "../spec/digest.ts";

/** What a build would do if just these checkpoints and recorded layers were there. */
export interface Simulated {
  readonly route: Route;
  /** Why an engine is needed. */
  readonly reasons: readonly RouteReason[];
  /** The steps that would be made. */
  readonly made: ReadonlySet<ChainStep["step"]>;
  /** The keys of the checkpoints that it would save, and of the layers that it would record. */
  readonly saved: readonly Digest[];
}

/** What decides besides the keys. */
export interface SimulationOptions {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly checkpoints: "all" | "final" | "none";
}

/**
 * Says what a build would do, without a registry: the rules are those of planning and of saving. What depends on the
 * files of the base, such as an owner's name, is taken to be plain.
 *
 * @param isThere whether there is a checkpoint or a recorded layer with a key
 */
export async function simulateBuild(
  draft: Draft,
  { isThere, buildArgs, checkpoints }: SimulationOptions & { isThere: (key: Digest) => boolean },
): Promise<Simulated> {
  const { target } = draft;
  const recall = (chain: Chain) => deepest(chain, isThere);
  const start = recall(target);
  const left = target.steps.slice(start?.position ?? 0);
  if (left.length === 0) return { route: "reuse", reasons: [], made: new Set(), saved: [] };
  const transplants = mayBeAssembled(left) ? transplantsAmong(left, { draft, isThere }) : undefined;
  const others = left.filter((one) => transplants?.has(one) !== true);
  const reasons = others.map((step) => reasonOf(step, draft)).filter((reason) => reason !== undefined);
  const savedOf = (chain: Chain, from: number) =>
    checkpointPositions(chain)
      .filter((position) => position > from)
      .map((position) => keyAt(chain, position));
  const savesTarget = checkpoints !== "none";
  const own = savesTarget ? savedOf(target, start?.position ?? 0) : [];
  if (reasons.length === 0)
    return { route: "assemble", reasons, made: new Set(others.map(({ step }) => step)), saved: own };

  // What no Dockerfile can write down again is built from the beginning.
  const usable = (chain: Chain, found: Found | undefined) =>
    found !== undefined && redeclaredArgs(stateAt(chain, found.position), buildArgs) !== undefined ? found : undefined;
  const { starts, chains } = await startStages(draft, {
    recalled: usable(target, start),
    recall: async (chain) => usable(chain, recall(chain)),
  });
  const made = new Set<ChainStep["step"]>();
  for (const chain of chains.values()) {
    const at = starts.get(chain.stage);
    const done = at?.kind === "checkpoint" ? at.done : 0;
    for (const { step } of chain.steps.slice(chain.inherited + Math.max(0, done))) made.add(step);
  }
  const worth = checkpoints === "all" ? stagesWorthSaving({ chain: target, chains, starts }) : [];
  const saved = [...own, ...worth.flatMap((stage) => savedOf(chains.get(stage) as Chain, 0))];
  const recorded = savesTarget ? recordedBy(draft, { from: start?.position ?? 0, isThere, saved }) : [];
  return { route: "engine", reasons, made, saved: [...saved, ...recorded] };
}

interface Looking {
  readonly draft: Draft;
  readonly isThere: (key: Digest) => boolean;
}

/** The COPY --from steps that have a recorded layer, all of them or none. That it fits is taken for granted. */
function transplantsAmong(left: readonly ChainStep[], { draft, isThere }: Looking): ReadonlySet<ChainStep> | undefined {
  const copied = left.filter(({ step }) => mayTransplant(step));
  const isRecorded = (one: ChainStep) => {
    const key = transplantKey(one, draft.target.platform)?.digest;
    return key !== undefined && isThere(key) && hasSource(one, { draft, isThere });
  };
  return copied.every(isRecorded) ? new Set(copied) : undefined;
}

/** Whether there is a checkpoint with all of the stage that is copied from. */
function hasSource({ step }: ChainStep, { draft, isThere }: Looking): boolean {
  if (!mayTransplant(step)) return false;
  const chain = step.from.kind === "stage" ? draft.chains.get(step.from.stage) : undefined;
  if (chain === undefined || chain.steps.length === 0) return true;
  const key = endKey(chain)?.digest;
  return key !== undefined && isThere(key);
}

/** The keys of the layers that an engine's build records. */
function recordedBy(
  draft: Draft,
  { from, isThere, saved }: { from: number; isThere: (key: Digest) => boolean; saved: readonly Digest[] },
): readonly Digest[] {
  const { target } = draft;
  const keys = new Set(saved);
  const isThereNow = (key: Digest) => keys.has(key) || isThere(key);
  return recordable({ chain: target, from }).flatMap(({ one }) => {
    const key = transplantKey(one, target.platform)?.digest;
    return key !== undefined && hasSource(one, { draft, isThere: isThereNow }) ? [key] : [];
  });
}

interface Found {
  readonly position: number;
}

function deepest(chain: Chain, isThere: (key: Digest) => boolean): Found | undefined {
  const position = checkpointPositions(chain).findLast((one) => isThere(keyAt(chain, one)));
  return position === undefined ? undefined : { position };
}

function keyAt(chain: Chain, position: number): Digest {
  return chain.steps[position - 1]?.key?.digest as Digest;
}

function reasonOf({ step }: ChainStep, { content }: Draft): RouteReason | undefined {
  const selected = content.get(step);
  const isCopy = step.kind === "copy" || step.kind === "add";
  return engineOnly(step) ?? (isCopy && selected !== undefined ? engineContent(step, selected) : undefined);
}
