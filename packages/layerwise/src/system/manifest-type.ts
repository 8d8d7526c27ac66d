// SPDX-License-Identifier: Apache-2.0

import { isIndexType, isManifestType, mediaTypes } from "../spec/media-type.ts";
import { readJson } from "./json.ts";

/**
 * Bytes up to which registries accept manifests, and longer than which none is read.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-manifests
 */
export const maxManifestBytes: number = 4 * 1024 * 1024;

/** A manifest of a format that is older than digests; named here so that errors can tell what it is. */
const schemaOne = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;

/**
 * The media type of a manifest or an index: as the transport says, else as the document says, else by its fields.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md (mediaType is optional in OCI documents)
 *
 * @param contentType the HTTP field; registries and mirrors also send `application/json` or nothing
 */
export function manifestTypeOf(bytes: Uint8Array, contentType?: string): string {
  const announced = (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (isManifestType(announced) || isIndexType(announced) || schemaOne.test(announced)) return announced;
  const document = parse(bytes);
  if (typeof document["mediaType"] === "string") return document["mediaType"];
  if (Array.isArray(document["manifests"])) return mediaTypes.oci.index;
  if (Array.isArray(document["layers"])) return mediaTypes.oci.manifest;
  return announced === "" ? "application/octet-stream" : announced;
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const json = readJson(bytes);
  return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
}
