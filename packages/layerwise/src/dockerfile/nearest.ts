// SPDX-License-Identifier: Apache-2.0

/** Most edits for which a word still counts as a slip of the other; what BuildKit uses. */
const maxEdits = 2;

/** The candidate that a mistyped word most likely means, ignoring case; undefined if none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let fewest = maxEdits + 1;
  for (const candidate of candidates) {
    const edits = editDistance(wanted, candidate.toLowerCase());
    // Short words are few edits away from anything.
    if (edits < fewest && edits * 2 <= wanted.length) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

/** Insertions, removals, changes and swaps of neighbours; more than {@link maxEdits} is not told apart. */
function editDistance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > maxEdits) return maxEdits + 1;
  const rows = [Array.from({ length: other.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const at = (up: number, left: number): number => (up === 0 ? row : rows[i - up])?.[j - left] ?? i + j;
      const change = one[i - 1] === other[j - 1] ? 0 : 1;
      const isSwap = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swap = i > 1 && j > 1 && isSwap ? at(2, 2) + 1 : i + j;
      row.push(Math.min(at(1, 0) + 1, at(0, 1) + 1, at(1, 1) + change, swap));
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}
