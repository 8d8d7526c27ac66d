// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Descriptor } from "./descriptor.ts";
import { digestOf } from "./digest.ts";
import { decodeIndex, encodeIndex, type ImageIndex, manifestFor } from "./image-index.ts";
import { mediaTypes } from "./media-type.ts";
import type { Platform } from "./platform.ts";

const source = "registry.example/app:1";

describe("decodeIndex", () => {
  it("reads an index of BuildKit, attestations included", () => {
    const amd64 = manifest({ os: "linux", architecture: "amd64" });
    const attestation = {
      ...manifest({ os: "unknown", architecture: "unknown" }),
      annotations: { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": amd64.digest },
    };

    const index = decode({ schemaVersion: 2, mediaType: mediaTypes.oci.index, manifests: [amd64, attestation] });

    expect(index).toEqual({ mediaType: mediaTypes.oci.index, manifests: [amd64, attestation], annotations: undefined });
  });

  it("reads a manifest list of Docker, Windows versions included", () => {
    const windows = manifest({
      os: "windows",
      architecture: "amd64",
      "os.version": "10.0.20348",
      "os.features": ["win32k"],
    });

    const index = decode({ schemaVersion: 2, mediaType: mediaTypes.docker.index, manifests: [windows] }, "text/plain");

    expect(index).toMatchObject({ mediaType: mediaTypes.docker.index, manifests: [windows] });
  });

  it("believes the transport where the document does not say its type", () => {
    expect(decode({ schemaVersion: 2, manifests: [], annotations: { a: "b" } })).toEqual({
      mediaType: mediaTypes.oci.index,
      manifests: [],
      annotations: { a: "b" },
    });
  });

  it("reads lists and maps that Go left null", () => {
    expect(decode({ schemaVersion: 2, manifests: null, annotations: null }).manifests).toEqual([]);
  });

  it.each([
    ["no JSON", "{"],
    ["null", "null"],
    ["a manifest", '{"schemaVersion":2,"config":{},"layers":[]}'],
    ["schema 1", '{"schemaVersion":1,"manifests":[]}'],
    ["a descriptor without a digest", '{"schemaVersion":2,"manifests":[{"mediaType":"a","size":1}]}'],
    [
      "a platform without an architecture",
      JSON.stringify({
        schemaVersion: 2,
        manifests: [{ ...manifest({ os: "linux", architecture: "a" }), platform: { os: "linux" } }],
      }),
    ],
  ])("refuses %s", (_, text) => {
    expect(() => decodeIndex(Buffer.from(text), { mediaType: mediaTypes.oci.index, source })).toThrow(
      expect.objectContaining({ code: "REGISTRY_PROTOCOL", message: expect.stringContaining(source) }),
    );
  });
});

describe("encodeIndex", () => {
  it("writes what is read back", () => {
    const index: ImageIndex = {
      mediaType: mediaTypes.docker.index,
      manifests: [manifest({ os: "linux", architecture: "arm", variant: "v7" })],
      annotations: { a: "b" },
    };

    expect(decodeIndex(encodeIndex(index), { mediaType: "unknown", source })).toEqual(index);
    expect(encodeIndex(index)).toEqual(encodeIndex(structuredClone(index)));
  });
});

describe("manifestFor", () => {
  const index: ImageIndex = {
    mediaType: mediaTypes.oci.index,
    manifests: [
      manifest({ os: "linux", architecture: "amd64" }),
      manifest({ os: "linux", architecture: "arm64", variant: "v8" }),
      manifest({ os: "linux", architecture: "arm", variant: "v6" }),
      manifest({ os: "linux", architecture: "arm", variant: "v7" }),
      manifest({ os: "unknown", architecture: "unknown" }),
      { ...manifest({ os: "linux", architecture: "s390x" }), platform: undefined },
      { ...manifest({ os: "linux", architecture: "riscv64" }), digest: digestOf("first") },
      { ...manifest({ os: "linux", architecture: "riscv64" }), digest: digestOf("second") },
    ],
  };

  it.each<{ platform: Platform; found: number | undefined }>([
    { platform: { os: "linux", architecture: "amd64" }, found: 0 },
    { platform: { os: "linux", architecture: "x86_64" }, found: 0 },
    { platform: { os: "linux", architecture: "arm64" }, found: 1 },
    { platform: { os: "linux", architecture: "arm" }, found: 3 },
    { platform: { os: "linux", architecture: "arm", variant: "v6" }, found: 2 },
    { platform: { os: "linux", architecture: "arm", variant: "v5" }, found: undefined },
    { platform: { os: "windows", architecture: "amd64" }, found: undefined },
    { platform: { os: "linux", architecture: "amd64", variant: "v2" }, found: undefined },
    { platform: { os: "linux", architecture: "s390x" }, found: undefined },
    { platform: { os: "linux", architecture: "riscv64" }, found: undefined },
  ])("finds number $found for $platform", ({ platform, found }) => {
    expect(manifestFor(index, platform)).toBe(found === undefined ? undefined : index.manifests[found]);
  });
});

function manifest(platform: Platform): Descriptor {
  return { mediaType: mediaTypes.oci.manifest, digest: digestOf(JSON.stringify(platform)), size: 10, platform };
}

function decode(document: object, mediaType: string = mediaTypes.oci.index): ImageIndex {
  return decodeIndex(Buffer.from(JSON.stringify(document)), { mediaType, source });
}
