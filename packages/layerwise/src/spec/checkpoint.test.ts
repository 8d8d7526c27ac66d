// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import {
  type CheckpointParts,
  checkpointTag,
  decodeCheckpointManifest,
  decodeFilesManifest,
  encodeCheckpoint,
  encodeFilesManifest,
  filesMediaType,
  filesTag,
  joinCheckpoint,
} from "./checkpoint.ts";
import type { Descriptor } from "./descriptor.ts";
import { digestOf } from "./digest.ts";
import { encodeImageConfig, type ImageConfig } from "./image-config.ts";
import { decodeManifest, encodeManifest } from "./manifest.ts";
import { mediaTypes } from "./media-type.ts";

const key = digestOf("a key");
const [base, run] = [digestOf("base"), digestOf("run")];
const config: ImageConfig = { os: "linux", architecture: "amd64", config: {}, diffIds: [base, run], history: [] };
const configBytes = encodeImageConfig(config);
const files: Descriptor = { mediaType: filesMediaType, digest: digestOf("files"), size: 77 };
const parts: CheckpointParts = {
  key,
  instruction: "RUN make",
  created: Date.UTC(2024, 0, 2, 3, 4, 5),
  version: "1.2.3",
  layers: [layer("one", mediaTypes.docker.layer.gzip), layer("two", mediaTypes.oci.layer.zstd)],
  config: { mediaType: mediaTypes.docker.config, digest: digestOf(configBytes), size: configBytes.length },
  files,
};

describe("encodeCheckpoint", () => {
  it("is an ordinary OCI image manifest, whatever its layers were", () => {
    const manifest = decodeManifest(encodeCheckpoint(parts), { mediaType: "unknown", source: "cache" });

    expect(manifest).toEqual({
      mediaType: mediaTypes.oci.manifest,
      artifactType: undefined,
      config: { ...parts.config, mediaType: mediaTypes.oci.config },
      layers: [layer("one", mediaTypes.oci.layer.gzip), layer("two", mediaTypes.oci.layer.zstd)],
      annotations: {
        "io.layerwise.cache.key": key,
        "io.layerwise.cache.instruction": "RUN make",
        "io.layerwise.cache.files": `${files.digest} 77`,
        "io.layerwise.cache.version": "1.2.3",
        "org.opencontainers.image.created": "2024-01-02T03:04:05.000Z",
      },
    });
  });

  it("gives the same bytes for the same parts", () => {
    expect(encodeCheckpoint(parts)).toEqual(encodeCheckpoint(structuredClone(parts)));
  });

  it("cuts long instructions", () => {
    const decoded = decode(encodeCheckpoint({ ...parts, instruction: `RUN ${"x".repeat(500)}` }));

    expect(decoded).toMatchObject({ instruction: `RUN ${"x".repeat(196)}` });
  });
});

describe("decodeCheckpointManifest", () => {
  it("gives back what was written", () => {
    expect(decode(encodeCheckpoint(parts))).toMatchObject({ instruction: "RUN make", created: parts.created, files });
  });

  it("minds neither missing files nor other missing words", () => {
    const manifest = decodeManifest(encodeCheckpoint(parts), { mediaType: "unknown", source: "cache" });
    const bare = encodeManifest({ ...manifest, annotations: { "io.layerwise.cache.key": key } });

    expect(decode(bare)).toMatchObject({ instruction: "", created: 0, files: undefined });
  });

  it.each(["", "sha256:12 7", `${files.digest}`, `${files.digest} x`, `${files.digest} -1`, `${files.digest} `])(
    "minds no annotation about files that says nothing: %o",
    (text) => {
      const manifest = decodeManifest(encodeCheckpoint(parts), { mediaType: "unknown", source: "cache" });
      const annotations = { ...manifest.annotations, "io.layerwise.cache.files": text };

      expect(decode(encodeManifest({ ...manifest, annotations }))).toMatchObject({ files: undefined });
    },
  );

  it("refuses another key than the one it was found under", () => {
    const other = encodeCheckpoint({ ...parts, key: digestOf("another key") });

    expect(decode(other)).toBe("it says another key than its tag");
  });

  it("refuses an image that is no checkpoint", () => {
    const manifest = decodeManifest(encodeCheckpoint(parts), { mediaType: "unknown", source: "cache" });

    expect(decode(encodeManifest({ ...manifest, annotations: undefined }))).toBe("it does not say its key");
  });

  it("refuses layers that nobody here can read", () => {
    const foreign = encodeCheckpoint({ ...parts, layers: [layer("one", "application/x-unknown")] });

    expect(decode(foreign)).toBe("it has layers of a kind that layerwise does not read");
  });

  it("throws on what is no manifest", () => {
    expect(() => decode(Buffer.from("{}"))).toThrow(expect.objectContaining({ code: "REGISTRY_PROTOCOL" }));
  });
});

describe("joinCheckpoint", () => {
  const baseConfig: ImageConfig = { ...config, diffIds: [base] };

  it("puts manifest and config together", () => {
    const checkpoint = join({ base: baseConfig });

    expect(checkpoint).toMatchObject({
      key,
      tag: checkpointTag(key),
      digest: digestOf("manifest"),
      config,
      configBytes,
      files,
    });
  });

  it.each([
    {
      what: "other base layers",
      baseConfig: { ...config, diffIds: [digestOf("other")] },
      why: "it stands on another base",
    },
    {
      what: "more base layers than it has",
      baseConfig: { ...config, diffIds: [base, run, base] },
      why: "it stands on another base",
    },
    {
      what: "another architecture",
      baseConfig: { ...baseConfig, architecture: "arm64" },
      why: "it is for another platform",
    },
    { what: "another system", baseConfig: { ...baseConfig, os: "windows" }, why: "it is for another platform" },
  ])("refuses $what", ({ baseConfig: other, why }) => {
    expect(join({ base: other })).toBe(why);
  });

  it("refuses a config with another number of layers than the manifest", () => {
    const bytes = encodeImageConfig({ ...config, diffIds: [base] });

    expect(join({ base: baseConfig, configBytes: bytes })).toBe(
      "its config and its manifest disagree about its layers",
    );
  });

  it("throws on what is no config", () => {
    expect(() => join({ base: baseConfig, configBytes: Buffer.from("[]") })).toThrow(
      expect.objectContaining({ code: "REGISTRY_PROTOCOL" }),
    );
  });

  function join(changed: { base: ImageConfig; configBytes?: Uint8Array }): ReturnType<typeof joinCheckpoint> {
    const decoded = decode(encodeCheckpoint(parts));
    if (typeof decoded === "string") throw new Error(decoded);
    return joinCheckpoint(decoded, { key, digest: digestOf("manifest"), configBytes, source: "cache", ...changed });
  }
});

describe("tags", () => {
  it("name a checkpoint by its key", () => {
    expect(checkpointTag(key)).toBe(`lwcache-${key.slice(7, 47)}`);
  });

  it("name the files of a stack of layers by the stack", () => {
    const tags = [filesTag([]), filesTag([base]), filesTag([base, run]), filesTag([run, base])];

    expect(new Set(tags).size).toBe(4);
    expect(tags[3]).toMatch(/^lwcache-[0-9a-f]{40}$/);
    expect(filesTag([base, run])).toBe(tags[2]);
  });
});

describe("encodeFilesManifest and decodeFilesManifest", () => {
  it("give the descriptor back", () => {
    expect(decodeFilesManifest(encodeFilesManifest(files), { mediaType: "unknown", source: "cache" })).toEqual(files);
  });

  it("take no other manifest for one", () => {
    expect(decodeFilesManifest(encodeCheckpoint(parts), { mediaType: "unknown", source: "cache" })).toBeUndefined();
  });

  it("is an artifact with the empty config that the specification gives", () => {
    const { config: empty, artifactType } = decodeManifest(encodeFilesManifest(files), {
      mediaType: "",
      source: "cache",
    });

    expect(artifactType).toBe(filesMediaType);
    expect(empty).toEqual({
      mediaType: "application/vnd.oci.empty.v1+json",
      digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
      size: 2,
    });
  });
});

function layer(name: string, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(name), size: name.length };
}

function decode(bytes: Uint8Array): ReturnType<typeof decodeCheckpointManifest> {
  return decodeCheckpointManifest(bytes, { key, mediaType: mediaTypes.oci.manifest, source: "cache" });
}
