// SPDX-License-Identifier: Apache-2.0
import { diffArrays } from "diff";
import type { WordChange } from "./cause.ts";

/** What two texts have in common and what not, word by word. */
export function wordChanges(before: string, after: string): readonly WordChange[] {
  return diffArrays(wordsOf(before), wordsOf(after)).map(({ value, added, removed }) => ({
    how: added ? "added" : removed ? "removed" : "same",
    text: value.join(" "),
  }));
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
