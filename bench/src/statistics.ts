// SPDX-License-Identifier: Apache-2.0

/** The middle of some figures; of the two middle ones, their mean. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((one, other) => one - other);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new RangeError("could not take a median: there are no figures");
  return (low + high) / 2;
}

/** `median (least..greatest)`, in a unit of one's own. */
export function spread(figures: readonly number[], format: (figure: number) => string): string {
  return `${format(median(figures))} (${format(Math.min(...figures))}..${format(Math.max(...figures))})`;
}
