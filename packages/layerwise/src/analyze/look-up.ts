// SPDX-License-Identifier: Apache-2.0
import type { Emit } from "../event.ts";
import { type BaseImage, baseKey, type Facts, isReadable, type UnreadableBase } from "../plan/facts.ts";
import { gatherBases, type NamedImages, type WantedImage } from "../plan/gather-bases.ts";
import { contextName } from "../plan/named-contexts.ts";
import { emptyImageConfig } from "../plan/stage-state.ts";
import type { CallOptions, Repositories } from "../ports.ts";
import { digestOf } from "../spec/digest.ts";
import { formatPlatform } from "../spec/platform.ts";

/** An image that counted in an analysis. */
export interface CountedBase {
  readonly reference: string;
  readonly platform: string;
  /** Undefined if it was not read, so that it counts as an image that never changed and has no settings of its own. */
  readonly digest: string | undefined;
  /** Why it was not read. */
  readonly why: string | undefined;
}

/** Resolves bases for a whole history: each once, as its registry has it now. */
export interface BaseLookUp {
  readonly lookUp: (wanted: readonly WantedImage[]) => Promise<Facts["bases"]>;
  counted(): readonly CountedBase[];
}

/** What resolving needs. */
export interface LookUpOptions extends CallOptions {
  readonly repositories: Repositories;
  readonly named: NamedImages;
  /** Asks nobody but for images that the options name. */
  readonly offline: boolean;
  readonly emit: Emit;
}

/** Starts resolving. An image of an old commit that is gone now was there then, so that it does not end an analysis. */
export function openBaseLookUp(options: LookUpOptions): BaseLookUp {
  const bases = new Map<string, BaseImage>();
  const counted = new Map<string, CountedBase>();

  async function lookUp(wanted: readonly WantedImage[]): Promise<Facts["bases"]> {
    const unknown = wanted.filter((image) => !bases.has(keyOf(image)));
    const asked = unknown.filter(({ reference }) => !options.offline || options.named.has(contextName(reference)));
    const found = await gatherBases(asked, options);
    for (const image of unknown) {
      const key = keyOf(image);
      const base = found.get(key);
      bases.set(key, isReadable(base) ? base : assumed(image));
      counted.set(key, {
        reference: image.reference,
        platform: formatPlatform(image.platform),
        digest: isReadable(base) ? base.digest : undefined,
        why: isReadable(base) ? undefined : whyOf(base),
      });
    }
    return new Map(wanted.map((image) => [keyOf(image), bases.get(keyOf(image)) as BaseImage]));
  }

  return { lookUp, counted: () => [...counted.values()] };
}

function whyOf(base: UnreadableBase | undefined): string {
  return base === undefined ? "no registry was asked" : base.why;
}

function keyOf({ reference, platform }: WantedImage): string {
  return baseKey(reference, formatPlatform(platform));
}

function assumed({ reference, platform }: WantedImage): BaseImage {
  return {
    reference,
    location: { kind: "layout", path: reference },
    digest: digestOf(`assumed ${reference}`),
    family: "oci",
    config: { ...emptyImageConfig(platform), diffIds: [digestOf(`assumed layer of ${reference}`)] },
    layers: [],
  };
}
