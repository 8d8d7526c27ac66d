// SPDX-License-Identifier: Apache-2.0
import type { Chain } from "../plan/chain.ts";
import { layerTimes } from "../plan/history-times.ts";
import type { StageStart } from "../plan/plan.ts";
import { resumeConfig } from "../plan/resume-config.ts";
import type { ImageConfig } from "../spec/image-config.ts";
import type { EngineImage } from "./engine-layers.ts";
import { checkpointTimes, type ImageLayer } from "./image.ts";

/** A chain whose layers an engine made, in full, with the times they were made. */
export interface MadeChain {
  readonly chain: Chain;
  /** How many steps were there before. */
  readonly from: number;
  /** The base's layers, then one a step. */
  readonly layers: readonly ImageLayer[];
  /** By position in the chain, RFC 3339. */
  readonly times: readonly string[];
}

/** What an engine's layers are matched to. */
export interface Matching {
  readonly chain: Chain;
  readonly start: StageStart | undefined;
  /** For layers whose time the engine does not tell; milliseconds since 1970. */
  readonly now: number;
}

/**
 * Matches an engine's layers to the steps of a chain: the base and the checkpoint are below them, there is one a step,
 * and the history names the same instructions. A text says what does not fit; nothing may then be saved.
 */
export function matchLayers({ config, layers }: EngineImage, { chain, start, now }: Matching): MadeChain | string {
  const below = chain.base?.config.diffIds ?? [];
  if (layers.length !== below.length + chain.steps.length) {
    return `it has ${layers.length} layers and not ${below.length + chain.steps.length}`;
  }
  const from = start?.kind === "checkpoint" ? start.recalled.position : 0;
  const parent = start?.kind === "checkpoint" ? start.recalled.checkpoint.config : chain.base?.config;
  const expected = parent?.diffIds ?? [];
  if (expected.some((diffId, index) => config.diffIds[index] !== diffId)) return "it stands on other layers";
  const named = instructionsIn(config.history.slice(parent?.history.length ?? 0));
  const left = chain.steps.slice(from);
  if (left.some(({ step }, index) => named[index] !== step.kind)) return "its history names other instructions";
  if (from > 0 && differs(resumeConfig(config), resumeConfig(chain.final))) return "its config is another one";
  const before = start?.kind === "checkpoint" ? checkpointTimes(chain, start.recalled) : [];
  const after = layerTimes(config)
    .slice(below.length + from)
    .map((time) => time ?? new Date(now).toISOString());
  return { chain, from, layers, times: [...before, ...after] };
}

/**
 * The instructions that make layers, in lower case. Which lines have a layer does not tell them where the base's
 * history does not fit its layers.
 */
function instructionsIn(history: ImageConfig["history"]): readonly string[] {
  return history.flatMap(({ created_by: text = "" }) => {
    const match = /^(?:\/bin\/sh -c #\(nop\)\s*)?(RUN|COPY|ADD|WORKDIR(?! \/$)) /.exec(text);
    return match === null ? [] : [(match[1] as string).toLowerCase()];
  });
}

function differs(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

/** The first field in which a replayed config and the engine's differ; undefined if none does. */
export function configDifference(replayed: ImageConfig, built: ImageConfig): string | undefined {
  const [one, other] = [replayed.config, built.config] as unknown as [Record<string, unknown>, Record<string, unknown>];
  for (const field of new Set([...Object.keys(one), ...Object.keys(other)])) {
    if (canonical(one[field]) !== canonical(other[field])) return field;
  }
  return undefined;
}

function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value) ?? "";
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
