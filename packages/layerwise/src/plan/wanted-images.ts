// SPDX-License-Identifier: Apache-2.0
import type { Dockerfile } from "../dockerfile/instruction.ts";
import type { Platform } from "../spec/platform.ts";
import type { WantedImage } from "./gather-bases.ts";
import { type GlobalInput, globalScopeOf, imagesReadBy, neededHeads, type StageHead } from "./global-scope.ts";
import { contextName, type NamedContexts } from "./named-contexts.ts";

/** The images that stages start from, and those that their COPY --from and mounts read. */
export function wantedImages(
  dockerfile: Dockerfile,
  { heads, platform, directories }: { heads: readonly StageHead[]; platform: Platform } & Directories,
): readonly WantedImage[] {
  const bases = heads
    .filter(({ base, parent }) => parent === undefined && base !== "scratch")
    .map((head) => ({ reference: head.base, platform: head.platform }));
  const read = heads
    .flatMap((head) => imagesReadBy(dockerfile, head))
    .filter((reference) => directories?.has(contextName(reference)) !== true)
    .map((reference) => ({ reference, platform }));
  return [...bases, ...read];
}

type Directories = Pick<NamedContexts, "directories">;

/**
 * The names of all images that a target needs, each once, variables expanded.
 *
 * @throws Refusal if they cannot be known here
 */
export function wantedNames(
  dockerfile: Dockerfile,
  input: GlobalInput & Directories & { readonly target: string | undefined },
): readonly string[] {
  const platform = input.targetPlatform;
  const scope = globalScopeOf(dockerfile, input);
  const heads = neededHeads(dockerfile, { scope, target: input.target, platform });
  const { directories } = input;
  return [...new Set(wantedImages(dockerfile, { heads, platform, directories }).map(({ reference }) => reference))];
}
