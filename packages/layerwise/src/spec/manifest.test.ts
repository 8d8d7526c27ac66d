// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Descriptor } from "./descriptor.ts";
import { digestOf } from "./digest.ts";
import { decodeManifest, encodeManifest, imageManifest, type Manifest } from "./manifest.ts";
import { mediaTypes } from "./media-type.ts";

const config: Descriptor = { mediaType: mediaTypes.oci.config, digest: digestOf("config"), size: 6 };
const layer: Descriptor = { mediaType: mediaTypes.oci.layer.gzip, digest: digestOf("layer"), size: 5 };
const source = "registry.example/app:1";

describe("decodeManifest", () => {
  it("reads Docker's schema 2", () => {
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.docker.manifest,
      config: { ...config, mediaType: mediaTypes.docker.config },
      layers: [{ ...layer, mediaType: mediaTypes.docker.layer.gzip, urls: ["https://elsewhere.example"] }],
    };

    const manifest = decode(document, mediaTypes.docker.manifest);

    expect(manifest).toEqual({
      mediaType: mediaTypes.docker.manifest,
      artifactType: undefined,
      config: { ...config, mediaType: mediaTypes.docker.config },
      layers: [{ ...layer, mediaType: mediaTypes.docker.layer.gzip }],
      annotations: undefined,
    });
  });

  it("reads OCI's, annotations, artifact type and subject included", () => {
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.oci.manifest,
      artifactType: "application/example",
      config,
      layers: [{ ...layer, annotations: { a: "b" } }],
      subject: layer,
      annotations: { "org.opencontainers.image.created": "2024" },
    };

    expect(decode(document)).toEqual({
      mediaType: mediaTypes.oci.manifest,
      artifactType: "application/example",
      config,
      layers: [{ ...layer, annotations: { a: "b" } }],
      annotations: { "org.opencontainers.image.created": "2024" },
    });
  });

  it("believes the transport where the document does not say its type, as OCI 1.0 allows", () => {
    expect(decode({ schemaVersion: 2, config, layers: [] }).mediaType).toBe(mediaTypes.oci.manifest);
  });

  it("believes the document where the transport says another type", () => {
    const document = { schemaVersion: 2, mediaType: mediaTypes.docker.manifest, config, layers: [] };

    expect(decode(document, "application/json").mediaType).toBe(mediaTypes.docker.manifest);
  });

  it("reads lists and maps that Go left null", () => {
    expect(decode({ schemaVersion: 2, config, layers: null, annotations: null })).toMatchObject({ layers: [] });
  });

  it.each([
    { what: "no JSON", text: "<html></html>", why: "it is no JSON" },
    { what: "null", text: "null", why: "invalid type: Expected Object but received null" },
    {
      what: "schema 1",
      text: '{"schemaVersion":1,"name":"app","fsLayers":[]}',
      why: "schemaVersion: invalid type: Expected 2 but received 1",
    },
    { what: "an index", text: `{"schemaVersion":2,"mediaType":"${mediaTypes.oci.index}","manifests":[]}`, why: "" },
    {
      what: "another media type",
      text: JSON.stringify({ schemaVersion: 2, mediaType: "text/plain", config, layers: [] }),
      why: "its media type is text/plain",
    },
    { what: "no config", text: '{"schemaVersion":2,"layers":[]}', why: "" },
    {
      what: "a digest of another algorithm",
      text: JSON.stringify({
        schemaVersion: 2,
        config: { ...config, digest: `sha512:${"a".repeat(128)}` },
        layers: [],
      }),
      why: "config.digest: not a sha256 digest",
    },
    {
      what: "a digest in capitals",
      text: JSON.stringify({
        schemaVersion: 2,
        config: { ...config, digest: config.digest.toUpperCase() },
        layers: [],
      }),
      why: "config.digest: not a sha256 digest",
    },
    {
      what: "a negative size",
      text: JSON.stringify({ schemaVersion: 2, config: { ...config, size: -1 }, layers: [] }),
      why: "",
    },
    {
      what: "a size that is a text",
      text: JSON.stringify({ schemaVersion: 2, config: { ...config, size: "6" }, layers: [] }),
      why: "",
    },
    {
      what: "a fraction of a byte",
      text: JSON.stringify({ schemaVersion: 2, config: { ...config, size: 1.5 }, layers: [] }),
      why: "",
    },
    {
      what: "a layer without a media type",
      text: JSON.stringify({ schemaVersion: 2, config, layers: [{ digest: layer.digest, size: 5 }] }),
      why: "",
    },
  ])("refuses $what", ({ text, why }) => {
    expect(() => decodeManifest(Buffer.from(text), { mediaType: mediaTypes.oci.manifest, source })).toThrow(
      expect.objectContaining({
        code: "REGISTRY_PROTOCOL",
        message: expect.stringContaining(`could not read the manifest of ${source}: ${why}`),
      }),
    );
  });
});

describe("encodeManifest", () => {
  it("writes fields and annotations in one order, and none that says nothing", () => {
    const manifest: Manifest = {
      annotations: { b: "2", a: "1" },
      layers: [
        {
          platform: { os: "linux", architecture: "amd64" },
          annotations: { z: "", y: "1" },
          size: 5,
          digest: layer.digest,
          mediaType: "m",
        },
      ],
      config: { ...config, annotations: {} },
      artifactType: undefined,
      mediaType: mediaTypes.oci.manifest,
    };

    expect(Buffer.from(encodeManifest(manifest)).toString()).toBe(
      `{"schemaVersion":2,"mediaType":"${mediaTypes.oci.manifest}",` +
        `"config":{"mediaType":"${config.mediaType}","digest":"${config.digest}","size":6},` +
        `"layers":[{"mediaType":"m","digest":"${layer.digest}","size":5,"annotations":{"y":"1","z":""}}],` +
        '"annotations":{"a":"1","b":"2"}}',
    );
  });

  it("leaves out empty annotations", () => {
    expect(
      Buffer.from(encodeManifest({ ...imageManifest("oci", { config, layers: [] }), annotations: {} })).toString(),
    ).not.toContain("annotations");
  });

  it("writes what is read back", () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const read = decodeManifest(encodeManifest(manifest), { mediaType: "unknown", source });

        expect(read).toEqual({ artifactType: undefined, annotations: undefined, ...manifest });
        expect(encodeManifest(read)).toEqual(encodeManifest(manifest));
      }),
    );
  });
});

describe("imageManifest", () => {
  it.each(["oci", "docker"] as const)("is of one family: %s", (family) => {
    const manifest = imageManifest(family, { config, layers: [layer], annotations: { a: "b" } });

    expect(manifest).toEqual({
      mediaType: mediaTypes[family].manifest,
      config: { ...config, mediaType: mediaTypes[family].config },
      layers: [layer],
      annotations: { a: "b" },
    });
  });
});

function decode(document: object, mediaType: string = mediaTypes.oci.manifest): Manifest {
  return decodeManifest(Buffer.from(JSON.stringify(document)), { mediaType, source });
}

const annotations = fc.dictionary(fc.stringMatching(/^[a-z.]{1,8}$/), fc.string(), { minKeys: 1, maxKeys: 3 });

const descriptors: fc.Arbitrary<Descriptor> = fc.record(
  { mediaType: fc.string(), digest: fc.string().map((text) => digestOf(text)), size: fc.nat(), annotations },
  { requiredKeys: ["mediaType", "digest", "size"] },
);

const manifests: fc.Arbitrary<Manifest> = fc.record(
  {
    mediaType: fc.constantFrom(mediaTypes.oci.manifest, mediaTypes.docker.manifest),
    artifactType: fc.string(),
    config: descriptors,
    layers: fc.array(descriptors, { maxLength: 3 }),
    annotations,
  },
  { requiredKeys: ["mediaType", "config", "layers"] },
);
