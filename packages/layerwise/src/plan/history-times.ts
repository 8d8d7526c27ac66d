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
  const { history = [], created, diffIds = [] } = chain.base?.config ?? {};
  let time = times[0] ?? history.at(-1)?.created ?? created;
  const added = chain.history.map(({ createdBy, layer }): HistoryEntry => {
    if (layer !== undefined) time = times[layer] ?? time;
    return {
      created: time,
      created_by: createdBy,
      comment: historyComment,
      empty_layer: layer === undefined ? true : undefined,
    };
  });
  return fitted([...history, ...added], [...diffIds.map(() => created), ...times]);
}

/**
 * Makes a history fit its layers as the same function of BuildKit does: where a base tells of too many layers, the last
 * lines lose theirs; where it tells of too few, lines are added at the very end.
 *
 * @param layers when each layer was made, lowest first
 */
function fitted(history: readonly HistoryEntry[], layers: readonly (string | undefined)[]): readonly HistoryEntry[] {
  let counted = 0;
  const kept = history.map((entry) => {
    if (entry.empty_layer === true) return entry;
    counted += 1;
    return counted > layers.length ? { ...entry, empty_layer: true } : entry;
  });
  const missing = layers
    .slice(counted)
    .map((created): HistoryEntry => ({ created, comment: "layer of the base image" }));
  return [...kept, ...missing];
}
