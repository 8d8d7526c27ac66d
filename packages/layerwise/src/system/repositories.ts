// SPDX-License-Identifier: Apache-2.0
import type { Emit } from "../event.ts";
import type { Clock, Repositories, Repository } from "../ports.ts";
import { formatRepository, type RepositoryName } from "../spec/reference.ts";
import { createCredentialSource } from "./credentials.ts";
import { createEcrCredentials } from "./ecr.ts";
import { openLayout } from "./oci-layout.ts";
import type { Challenges } from "./registry/auth.ts";
import { createRegistryRepository } from "./registry/client.ts";
import { defaultRetryPolicy, type RetryPolicy, type Wait, waitInTime } from "./registry/retry.ts";
import { createTransport } from "./registry/transport.ts";

/** How registries are reached. */
export interface RepositoriesOptions {
  readonly clock: Clock;
  /** Receives one event for each request that was sent. */
  readonly emit?: Emit | undefined;
  /** Proxies, certificates, where Docker's config is, AWS; this process's own by default. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** `host[:port]` of registries that may have no certificate or speak plain HTTP. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** PEM files with further certificates to trust. */
  readonly caFiles?: readonly string[] | undefined;
  readonly userAgent?: string | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** How retries wait; in real time by default. */
  readonly wait?: Wait | undefined;
}

/** Repositories of registries and in directories. */
export interface OpenRepositories extends Repositories {
  /**
   * A repository of a registry; the same one every time, with its tokens.
   *
   * Who will push says so with `access`: the first token then allows it, and no second one is asked for.
   */
  inRegistry(name: RepositoryName, options?: { readonly access?: "read" | "write" | undefined }): Repository;
  /** Closes all connections. Without it they end with the process, which they do not keep alive. */
  close(): Promise<void>;
}

/** Opens repositories. Nothing is read, loaded or connected before the first call of one of them. */
export function createRepositories(options: RepositoriesOptions): OpenRepositories {
  const { clock, environment = process.env } = options;
  const secrets = new Set<string>();
  const transport = createTransport({
    environment,
    emit: options.emit ?? (() => undefined),
    wait: options.wait ?? waitInTime,
    retry: options.retry ?? defaultRetryPolicy,
    userAgent: options.userAgent ?? "layerwise",
    insecureRegistries: options.insecureRegistries ?? [],
    caFiles: options.caFiles ?? [],
  });
  const cloud = createEcrCredentials({ environment, clock, transport, secrets });
  const credentials = createCredentialSource({ environment, clock, secrets, cloud });
  const challenges: Challenges = new Map();
  const opened = new Map<string, Repository>();
  const written = new Set<string>();
  return {
    inRegistry(name, { access } = {}) {
      const key = formatRepository(name);
      if (access === "write") written.add(key);
      const parts = { transport, credentials, challenges, clock, secrets, writes: () => written.has(key) };
      const repository = opened.get(key) ?? createRegistryRepository(name, parts);
      opened.set(key, repository);
      return repository;
    },
    inLayout: (path) => openLayout(path),
    close: () => transport.close(),
  };
}
