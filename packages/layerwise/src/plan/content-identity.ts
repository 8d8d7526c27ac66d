// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../spec/digest.ts";
import { hexOf } from "../spec/digest.ts";
import { orderedRuntime } from "../spec/image-config.ts";
import { formatPlatform } from "../spec/platform.ts";
import { cacheKeyOf, listValue } from "./cache-key.ts";
import { type Chain, endKey } from "./chain.ts";
import type { Plan } from "./plan.ts";

/** What identifies an image by what it is made of: the same inputs, the same tag. */
export interface ContentIdentity {
  readonly digest: Digest;
  /** `content-` and 40 hexadecimal digits. */
  readonly tag: string;
}

/** The content identity of a planned image; undefined if some input of it has no name. */
export function contentIdentity(
  { work, platform }: Plan,
  { labels, annotations }: { labels: ReadonlyMap<string, string>; annotations: ReadonlyMap<string, string> },
): ContentIdentity | undefined {
  if (work.kind === "whole") return undefined;
  const chain: Chain = work.chain;
  const key = endKey(chain);
  if (key === undefined) return undefined;
  const { config, author } = chain.final;
  const Labels = { ...config.Labels, ...Object.fromEntries(labels) };
  const { digest } = cacheKeyOf([
    { name: "kind", value: "image" },
    { name: "chain", value: key.digest },
    { name: "platform", value: formatPlatform(platform) },
    { name: "config", value: JSON.stringify(orderedRuntime({ ...config, Labels })) },
    { name: "author", value: author ?? "" },
    { name: "annotations", value: listValue([...annotations].flat()) },
  ]);
  return { digest, tag: `content-${hexOf(digest).slice(0, 40)}` };
}
