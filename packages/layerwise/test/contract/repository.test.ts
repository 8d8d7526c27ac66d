// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRepositories, type OpenRepositories } from "../../src/system/repositories.ts";
import { startDistributionRegistry } from "../distribution-registry.ts";
import { createMemoryRegistry } from "../memory-repository.ts";
import { type RegistrySwitches, startRegistryServer } from "../registry-server.ts";
import { type RepositorySubject, repositoryContract } from "./repository.contract.ts";

repositoryContract("a repository in memory", async () => {
  const registry = createMemoryRegistry();
  return {
    create: numbered((number) => registry.repository(`app-${number}`)),
    mounts: true,
    close: async () => undefined,
  };
});

repositoryContract("an OCI layout directory", async () => {
  const folder = await mkdtemp(join(tmpdir(), "layerwise-layouts-"));
  const repositories = open();
  return {
    create: numbered((number) => repositories.inLayout(join(folder, String(number)))),
    mounts: false,
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

repositoryContract("Debian's docker-registry", () => inRegistry(startDistributionRegistry(), { mounts: true }));

repositoryContract("a registry as the specification wants it", () =>
  inRegistry(startRegistryServer(), { mounts: true }),
);

const faulty: readonly {
  readonly what: string;
  readonly switches: Partial<RegistrySwitches>;
  readonly mounts: boolean;
}[] = [
  { what: "that does not name digests", switches: { namesDigests: false }, mounts: true },
  { what: "with relative locations", switches: { relativeLocations: true }, mounts: true },
  { what: "that opens uploads instead of mounting", switches: { mount: "upload-opened" }, mounts: false },
  { what: "that answers mounts with 401", switches: { mount: 401 }, mounts: false },
  { what: "that answers mounts with 403", switches: { mount: 403 }, mounts: false },
  { what: "that answers mounts with 404", switches: { mount: 404 }, mounts: false },
  { what: "that answers mounts with 405", switches: { mount: 405 }, mounts: false },
];

for (const { what, switches, mounts } of faulty) {
  repositoryContract(`a registry ${what}`, () => inRegistry(startRegistryServer(switches), { mounts }));
}

async function inRegistry(
  starting: Promise<{ readonly host: string; close(): Promise<void> }>,
  { mounts }: { readonly mounts: boolean },
): Promise<RepositorySubject> {
  const { host, close } = await starting;
  const repositories = open();
  return {
    create: numbered((number) => repositories.inRegistry({ host, path: `team/app-${number}` })),
    mounts,
    async close() {
      await repositories.close();
      await close();
    },
  };
}

function open(): OpenRepositories {
  return createRepositories({ clock: { now: () => 0, ticks: () => 0 }, environment: { HOME: "/nonexistent" } });
}

function numbered<T>(create: (number: number) => T): () => T {
  let number = 0;
  return () => create(number++);
}
