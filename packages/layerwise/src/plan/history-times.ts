// SPDX-License-Identifier: Apache-2.0
import type { HistoryEntry, ImageConfig } from "../spec/image-config.ts";
import type { Chain } from "./chain.ts";
import { historyComment } from "./history-text.ts";

/** When each layer of an image was made, lowest first, as RFC 3339; undefined where its history does not say. */
export function layerTimes({ history, diffIds }: ImageConfig): readonly (string | undefined)[] {
  const times = history.filter((entry) => entry.empty_layer !== true).map((entry) => entry.created);
  // A history that does not fit its layers says nothing about any of them.
  return times.length === diffIds.length ? times : diffIds.map(() => undefined);
}

/**
 * The history of an image: the base's own, then a line an instruction.
 *
 * @param times when the chain's layers were made, by position; lines without a layer get the time of the layer before
 *   them, or of the first new one (BuildKit, exporter/containerimage, `normalizeLayersAndHistory`)
 */
export function historyOf(chain: Chain, times: readonly string[]): readonly HistoryEntry[] {
  const base = baseHistory(chain);
  let time = times[0] ?? base.at(-1)?.created ?? chain.base?.config.created;
  const added = chain.history.map(({ createdBy, layer }): HistoryEntry => {
    if (layer !== undefined) time = times[layer] ?? time;
    return {
      created: time,
      created_by: createdBy,
      comment: historyComment,
      empty_layer: layer === undefined ? true : undefined,
    };
  });
  return [...base, ...added];
}

/** The base's history, completed so that it has one line a layer. */
function baseHistory({ base }: Chain): readonly HistoryEntry[] {
  if (base === undefined) return [];
  const { history, diffIds, created } = base.config;
  const layers = history.filter((entry) => entry.empty_layer !== true).length;
  if (layers === diffIds.length) return history;
  const kept = layers > diffIds.length ? history.map((entry) => ({ ...entry, empty_layer: true })) : history;
  const missing = diffIds.length - (layers > diffIds.length ? 0 : layers);
  return [...kept, ...Array.from({ length: missing }, () => ({ created, comment: "layer of the base image" }))];
}
