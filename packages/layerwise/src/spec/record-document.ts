// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import type { BuildRecord, FileInput } from "./build-record.ts";
import { compressDocument, decompressDocument } from "./compression.ts";
import type { Descriptor } from "./descriptor.ts";
import { firstIssue } from "./first-issue.ts";
import { decodeManifest, encodeManifest } from "./manifest.ts";
import { layerTypeIn, mediaTypes } from "./media-type.ts";

const digests = v.record(v.string(), v.string());
const count = v.pipe(v.number(), v.minValue(0));

const fileSchema = v.object({
  path: v.string(),
  kind: v.picklist(["file", "directory", "link", "tree"]),
  mode: v.optional(v.string(), ""),
  digest: v.optional(v.string(), ""),
  size: v.optional(count, 0),
  count: v.optional(count, 1),
  more: v.optional(v.string(), ""),
});

const stepSchema = v.object({
  line: count,
  kind: v.picklist(["run", "copy", "add", "workdir"]),
  instruction: v.string(),
  written: v.string(),
  key: v.optional(v.string()),
  inputs: digests,
  arguments: v.array(v.string()),
  variables: digests,
  files: v.array(fileSchema),
  reads: v.array(v.object({ kind: v.picklist(["stage", "image"]), name: v.string(), key: v.optional(v.string()) })),
  ends: v.boolean(),
  state: v.picklist(["reused", "made"]),
  by: v.picklist(["checkpoint", "transplant", "assemble", "engine"]),
  seconds: count,
  bytes: v.optional(count),
});

const recordSchema = v.object({
  version: v.literal(1),
  time: v.string(),
  tool: v.string(),
  image: v.optional(v.string()),
  references: v.array(v.string()),
  previous: v.optional(v.string()),
  revision: v.optional(v.string()),
  branch: v.optional(v.string()),
  salt: v.string(),
  dockerfile: v.string(),
  target: v.optional(v.string()),
  platform: v.string(),
  buildArgs: v.optional(digests),
  route: v.picklist(["reuse", "assemble", "engine"]),
  seconds: count,
  sent: count,
  received: count,
  ignore: v.array(v.string()),
  depth: count,
  noCache: v.union([v.boolean(), v.array(v.string())]),
  refused: v.array(v.object({ tag: v.string(), why: v.string() })),
  stages: v.array(
    v.object({
      name: v.string(),
      line: count,
      from: v.string(),
      root: v.string(),
      below: v.optional(v.string()),
      base: v.optional(
        v.object({
          reference: v.string(),
          digest: v.string(),
          layers: v.array(v.string()),
          environment: digests,
        }),
      ),
      steps: v.array(stepSchema),
    }),
  ),
});

/** Takes a document for a record; a text says what is wrong with it. */
export function readBuildRecord(document: unknown): BuildRecord | string {
  const parsed = v.safeParse(recordSchema, document);
  return parsed.success ? parsed.output : firstIssue(parsed.issues);
}

/** The kind of artifact that a record's manifest says it is. */
const recordMediaType = "application/vnd.layerwise.record.v1+json";

const recordAnnotation = "io.layerwise.cache.record";

/** Most characters of a record in an annotation: registries take manifests of megabytes, builds should not send them. */
export const maxRecordText: number = 48 * 1024;

/** Most bytes of a record's JSON that are unpacked. */
const maxRecordBytes = 16 * 1024 * 1024;

/** A record as text for an annotation: gzip in base64; values that a reader adds by itself are left out. */
export function encodeBuildRecord(record: BuildRecord): string {
  const shortened = JSON.stringify(record, (_, value: unknown) => (isFileInput(value) ? shortFile(value) : value));
  return Buffer.from(compressDocument(Buffer.from(shortened))).toString("base64");
}

function isFileInput(value: unknown): value is FileInput {
  return typeof value === "object" && value !== null && "more" in value && "path" in value;
}

function shortFile({ path, kind, mode, digest, size, count: entries, more }: FileInput): Partial<FileInput> {
  return {
    path,
    kind,
    ...(mode === "" ? {} : { mode }),
    ...(digest === "" ? {} : { digest }),
    ...(size === 0 ? {} : { size }),
    ...(entries === 1 ? {} : { count: entries }),
    ...(more === "" ? {} : { more }),
  };
}

/** Writes the manifest that carries a record; what it refers to must be in the repository already. */
export function encodeRecordManifest(
  text: string,
  { config, layer }: { config: Descriptor; layer: Descriptor },
): Uint8Array {
  return encodeManifest({
    mediaType: mediaTypes.oci.manifest,
    artifactType: recordMediaType,
    config,
    layers: [{ ...layer, mediaType: layerTypeIn("oci", layer.mediaType) ?? layer.mediaType }],
    annotations: { [recordAnnotation]: text },
  });
}

/** Reads a record from the manifest that carries it; a text says why it cannot be used. */
export function decodeRecordManifest(
  bytes: Uint8Array,
  parts: { mediaType: string; source: string },
): BuildRecord | string {
  const text = decodeManifest(bytes, parts).annotations?.[recordAnnotation];
  if (text === undefined) return "it is no record of a build";
  try {
    const json = decompressDocument(Buffer.from(text, "base64"), maxRecordBytes);
    return readBuildRecord(JSON.parse(Buffer.from(json).toString("utf8")));
  } catch {
    return "it is damaged";
  }
}
