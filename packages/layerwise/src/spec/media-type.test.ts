// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import {
  compressionOf,
  familyOf,
  isIndexType,
  isManifestType,
  layerTypeIn,
  manifestAccept,
  mediaTypes,
} from "./media-type.ts";

describe("media types", () => {
  it.each([
    { type: mediaTypes.oci.manifest, isManifest: true, isIndex: false, family: "oci" },
    { type: mediaTypes.docker.manifest, isManifest: true, isIndex: false, family: "docker" },
    { type: mediaTypes.oci.index, isManifest: false, isIndex: true, family: "oci" },
    { type: mediaTypes.docker.index, isManifest: false, isIndex: true, family: "docker" },
    {
      type: "application/vnd.docker.distribution.manifest.v1+prettyjws",
      isManifest: false,
      isIndex: false,
      family: "docker",
    },
    { type: "application/json", isManifest: false, isIndex: false, family: "oci" },
  ])("tell manifests from indexes: $type", ({ type, isManifest, isIndex, family }) => {
    expect([isManifestType(type), isIndexType(type), familyOf(type)]).toEqual([isManifest, isIndex, family]);
  });

  it("are all accepted that are read", () => {
    const accepted = manifestAccept.split(", ");

    expect(accepted.every((type) => isManifestType(type) || isIndexType(type))).toBe(true);
    expect(new Set(accepted).size).toBe(4);
  });
});

describe("compressionOf and layerTypeIn", () => {
  it.each(["none", "gzip", "zstd"] as const)("know layers with compression %s in both families", (compression) => {
    const { oci, docker } = { oci: mediaTypes.oci.layer[compression], docker: mediaTypes.docker.layer[compression] };

    expect([compressionOf(oci), compressionOf(docker)]).toEqual([compression, compression]);
    expect([layerTypeIn("oci", docker), layerTypeIn("docker", oci), layerTypeIn("oci", oci)]).toEqual([
      oci,
      docker,
      oci,
    ]);
  });

  it.each([
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
    "application/vnd.in-toto+json",
    "",
  ])("do not know %o", (type) => {
    expect([compressionOf(type), layerTypeIn("oci", type)]).toEqual([undefined, undefined]);
  });
});
