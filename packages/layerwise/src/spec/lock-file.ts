// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import { type Digest, isDigest } from "./digest.ts";
import { firstIssue } from "./first-issue.ts";

/** What images are locked to: names as they stand in the Dockerfile, variables expanded. */
export type LockedBases = ReadonlyMap<string, Digest>;

/** The name of a lock file; it lies beside the Dockerfile. */
export const lockFileName = "layerwise.lock";

const lockSchema = v.object({
  version: v.literal(1),
  bases: v.record(
    v.string(),
    v.custom<Digest>((value) => typeof value === "string" && isDigest(value), "not a sha256 digest"),
  ),
});

/** Reads a lock file; LOCK_OUT_OF_DATE if it is none. */
export function decodeLockFile(text: string, file: string): LockedBases {
  const parsed = v.safeParse(lockSchema, jsonOf(text));
  if (parsed.success) return new Map(Object.entries(parsed.output.bases));
  throw new LayerwiseError("LOCK_OUT_OF_DATE", `could not read ${file}: ${firstIssue(parsed.issues)}`, {
    hint: "write it anew with layerwise lock",
  });
}

/** Writes a lock file: names in the order of their characters, so that the same images give the same text. */
export function encodeLockFile(bases: LockedBases): string {
  const sorted = [...bases].sort(([one], [other]) => (one < other ? -1 : 1));
  return `${JSON.stringify({ version: 1, bases: Object.fromEntries(sorted) }, undefined, 2)}\n`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
