// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { type Digest, isDigest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/**
 * Points to content: what it is, which bytes, how many.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly platform?: Platform | undefined;
}

/** A digest inside a document from outside. */
export const digestSchema: v.GenericSchema<string, Digest> = v.pipe(
  v.string(),
  v.custom<Digest>((value) => typeof value === "string" && isDigest(value), "not a sha256 digest"),
) as v.GenericSchema<string, Digest>;

/** A descriptor inside a document from outside; fields that we do not use are dropped. */
export const descriptorSchema: v.GenericSchema<unknown, Descriptor> = v.object({
  mediaType: v.string(),
  digest: digestSchema,
  size: v.pipe(v.number(), v.integer(), v.minValue(0)),
  annotations: v.optional(v.record(v.string(), v.string())),
  platform: v.optional(
    v.object({
      os: v.string(),
      architecture: v.string(),
      variant: v.optional(v.string()),
      "os.version": v.optional(v.string()),
      "os.features": v.optional(v.array(v.string())),
    }),
  ),
}) as v.GenericSchema<unknown, Descriptor>;
