// SPDX-License-Identifier: Apache-2.0
import type { MediaFamily } from "../src/spec/media-type.ts";
import type { RegistrySwitches } from "./registry-call.ts";

/** What a registry does differently, as far as its users have written it down. */
export interface RegistryProfile {
  readonly name: string;
  readonly switches: Partial<RegistrySwitches>;
  /** Whether a blob of a sibling is mounted. */
  readonly mounts: boolean;
  /** The media types that it takes; both without. */
  readonly families?: readonly MediaFamily[];
}

/** The registries that are asked for most. Nothing of them is reached: a server of ours behaves like them. */
export const registryProfiles: readonly RegistryProfile[] = [
  {
    name: "Amazon ECR",
    mounts: false,
    switches: {
      login: { scheme: "basic" },
      // Mounting is off unless an account asks for it: docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
      mount: "upload-opened",
      // https://github.com/distribution/distribution/issues/3792
      namesDigests: false,
      // https://github.com/open-policy-agent/opa/pull/6728
      redirectsBlobs: true,
    },
  },
  {
    name: "GitHub's ghcr.io",
    mounts: true,
    switches: {
      login: { scheme: "bearer", realm: "/token" },
      // https://github.com/apple/swift-container-plugin/pull/44
      relativeLocations: true,
      // https://github.com/containers/skopeo/issues/1880
      removes: false,
      // https://github.com/mccutchen/go-httpbin/issues/223
      others: 403,
    },
  },
  {
    name: "Google Artifact Registry",
    mounts: true,
    switches: {
      // https://github.com/oras-project/oras/issues/157
      login: { scheme: "bearer", realm: "/v2/token" },
      // https://github.com/oras-project/rust-oci-client/pull/175
      uploads: "path",
      relativeLocations: true,
      // https://github.com/goharbor/harbor/issues/22021
      headsManifests: false,
    },
  },
  {
    name: "Azure Container Registry",
    mounts: true,
    switches: {
      // https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
      login: { scheme: "bearer", realm: "/oauth2/token", grant: "identity-token", field: "access_token" },
      // https://github.com/GoogleContainerTools/jib/pull/423
      relativeLocations: true,
      // https://github.com/Azure/azure-sdk-for-net/issues/28735
      redirectsBlobs: true,
    },
  },
  {
    name: "Harbor",
    mounts: true,
    switches: {
      login: { scheme: "bearer", realm: "/service/token" },
      // https://github.com/goharbor/harbor/issues/17097
      mountFromMissing: 401,
      // With S3 behind it: https://github.com/spring-attic/spring-cloud-dataflow/issues/4065
      redirectsBlobs: true,
    },
  },
  {
    name: "Quay",
    mounts: true,
    // Version 2.9: https://github.com/GoogleContainerTools/jib/issues/698
    families: ["docker"],
    switches: {
      // https://github.com/oras-project/oras/issues/738
      login: { scheme: "bearer", realm: "/v2/auth" },
      refusesOci: true,
      // https://github.com/eclipse-che/che-plugin-registry/pull/2082
      convertsManifests: true,
      // https://github.com/rkt/rkt/pull/2465
      redirectsBlobs: true,
    },
  },
  {
    name: "GitLab",
    mounts: true,
    switches: {
      // https://github.com/oras-project/oras-go/issues/1396
      login: { scheme: "bearer", realm: "/jwt/auth" },
      // https://github.com/estesp/manifest-tool/issues/53
      mountFromMissing: 401,
    },
  },
  {
    name: "Docker Hub",
    mounts: true,
    switches: {
      login: { scheme: "bearer", realm: "/token" },
      // https://github.com/docker/hub-feedback/issues/2360
      removes: false,
      // https://github.com/jupyterhub/binderhub/pull/1664
      others: 401,
      // docs.docker.com/docker-hub/usage/
      busyEvery: 5,
      redirectsBlobs: true,
    },
  },
];
