// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { mediaTypes } from "../spec/media-type.ts";
import { manifestTypeOf } from "./manifest-type.ts";

const { oci, docker } = mediaTypes;

it.each([
  { contentType: oci.manifest, document: { mediaType: docker.manifest }, expected: oci.manifest },
  { contentType: `${docker.index}; charset=utf-8`, document: {}, expected: docker.index },
  { contentType: oci.index.toUpperCase(), document: {}, expected: oci.index },
  { contentType: "application/json", document: { mediaType: docker.index }, expected: docker.index },
  { contentType: "text/plain", document: { layers: [] }, expected: oci.manifest },
  { contentType: undefined, document: { manifests: [] }, expected: oci.index },
  { contentType: undefined, document: {}, expected: "application/octet-stream" },
  { contentType: "text/html", document: null, expected: "text/html" },
  {
    contentType: "application/vnd.docker.distribution.manifest.v1+prettyjws",
    document: { schemaVersion: 1 },
    expected: "application/vnd.docker.distribution.manifest.v1+prettyjws",
  },
])("takes $contentType with $document for $expected", ({ contentType, document, expected }) => {
  expect(manifestTypeOf(Buffer.from(JSON.stringify(document)), contentType)).toBe(expected);
});

it("takes bytes that are no JSON for what the transport says", () => {
  expect(manifestTypeOf(Buffer.from("no"), "application/json")).toBe("application/json");
});
