// SPDX-License-Identifier: Apache-2.0
import { hasCode, LayerwiseError } from "../error.ts";
import type { ContextEntry } from "../ports.ts";
import type { Digest } from "../spec/digest.ts";
import type { SelectedSource } from "./copy-selection.ts";
import { type ContentOf, type Gathering, selectContent } from "./gather-content.ts";
import type { Step } from "./step.ts";
import type { StepContent } from "./step-content.ts";

/**
 * Makes sure that what the steps read from the build context is still what their keys were made from. An engine reads
 * the context by itself, so a file that changes after it was hashed would come into a layer under another file's key.
 *
 * @throws CONTEXT_CHANGED if a file was written, added or removed meanwhile
 */
export async function checkContent(content: ContentOf, gathering: Gathering): Promise<void> {
  if (content.size === 0) return;
  const places = await selectContent([...content.keys()], gathering).catch((error: unknown) => {
    throw hasCode(error, "CONTEXT_NOT_FOUND") ? changed("a selected file", error) : error;
  });
  for (const { name, gathering: there, selections: now } of places) {
    const recent = new Map<string, { readonly entry: ContextEntry; readonly digest: Digest }>();
    for (const [step, { sources, digests }] of selectedFrom(name, content)) {
      const before = entriesOf(sources);
      const after = entriesOf(now.get(step) ?? []);
      const different = before.find((entry, index) => !isSame(entry, after[index])) ?? after[before.length];
      if (different !== undefined) throw changed(different.path);
      for (const entry of before) {
        if (entry.isRecent === true) recent.set(entry.path, { entry, digest: digests.get(entry.path) as Digest });
      }
    }
    await checkDigests([...recent.values()], there);
  }
}

/** What each step selects from one of the places. */
function selectedFrom(name: string | undefined, content: ContentOf): readonly (readonly [Step, StepContent])[] {
  return [...content].flatMap(([step, all]) =>
    [all, ...(all.more ?? [])].filter(({ context }) => context === name).map((one) => [step, one] as const),
  );
}

function entriesOf(sources: readonly SelectedSource[]): readonly ContextEntry[] {
  return sources.flatMap(({ entry, below }) => [entry, ...below.map((item) => item.entry)]);
}

function isSame(one: ContextEntry, other: ContextEntry | undefined): boolean {
  const compared = ["path", "kind", "mode", "size", "target", "version"] as const;
  return other !== undefined && compared.every((field) => one[field] === other[field]);
}

/** Files that were new when they were listed may have been written again without a trace. */
async function checkDigests(
  files: readonly { readonly entry: ContextEntry; readonly digest: Digest }[],
  { context, signal }: Gathering,
): Promise<void> {
  const entries = files.map(({ entry }) => entry);
  const digests = await context.digests(entries, { signal });
  const different = files.find(({ digest }, index) => digest !== digests[index]);
  if (different !== undefined) throw changed(different.entry.path);
}

function changed(path: string, cause?: unknown): LayerwiseError {
  return new LayerwiseError(
    "CONTEXT_CHANGED",
    `could not use what the engine built: ${path} changed during the build`,
    {
      hint: "build again when nothing writes into the build context, or name the file in the ignore file",
      cause,
    },
  );
}
