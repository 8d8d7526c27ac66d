// SPDX-License-Identifier: Apache-2.0
import type { CallOptions, Clock, Repository } from "../../ports.ts";
import type { RepositoryName } from "../../spec/reference.ts";
import type { CredentialSource } from "../credentials.ts";
import { type Challenges, createAuthorizer } from "./auth.ts";
import { fetchBlob, hasBlob } from "./blobs.ts";
import { fetchManifest, pushManifest, removeManifest } from "./manifests.ts";
import { createSession } from "./session.ts";
import type { Transport } from "./transport.ts";
import { mountBlob, type OpenUploads, pushBlob } from "./upload.ts";

/** What the repositories of all registries share. */
export interface RegistryParts {
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  /** How each host wants to be asked, filled as they answer. */
  readonly challenges: Challenges;
  readonly clock: Clock;
  readonly secrets: Set<string>;
}

/**
 * A repository of a registry that speaks the distribution specification 1.1.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
 *
 * @param parts.writes whether the repository will be pushed to: tokens are then asked for with that right from the first
 *   request on, which saves a second token
 */
export function createRegistryRepository(
  name: RepositoryName,
  parts: RegistryParts & { readonly writes: () => boolean },
): Repository {
  const { transport, credentials, challenges, clock, secrets } = parts;
  const credentialsFor = (repository: RepositoryName, call: CallOptions) =>
    credentials.credentialsFor(repository, call);
  const authorizer = createAuthorizer({ transport, repository: name, credentialsFor, challenges, clock, secrets });
  const session = createSession({ transport, authorizer, repository: name, writes: parts.writes, secrets });
  const uploads: OpenUploads = new Map();
  return {
    name: session.name,
    registry: name.host,
    isLocal: false,
    fetchManifest: (reference, call) => fetchManifest(session, reference, call),
    hasBlob: (digest, call) => hasBlob(session, digest, call),
    fetchBlob: (descriptor, call) => fetchBlob(session, descriptor, call),
    pushBlob: (blob, call) => pushBlob(session, { blob, uploads }, call),
    async mountBlob(descriptor, from, call) {
      if (from.registry !== name.host) return false;
      return mountBlob(session, { descriptor, from: from.name.slice(name.host.length + 1), uploads }, call);
    },
    pushManifest: (reference, manifest, call) => pushManifest(session, { reference, manifest }, call),
    removeManifest: (digest, call) => removeManifest(session, digest, call),
  };
}
