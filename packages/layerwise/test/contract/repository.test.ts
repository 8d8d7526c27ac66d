// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startCraneRegistry } from "../../../lab/src/index.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { mediaTypes } from "../../src/spec/media-type.ts";
import { createRepositories, type OpenRepositories } from "../../src/system/repositories.ts";
import { startDistributionRegistry } from "../distribution-registry.ts";
import { createMemoryRegistry } from "../memory-repository.ts";
import type { RegistrySwitches, ServedRequest } from "../registry-call.ts";
import { user } from "../registry-gate.ts";
import { type RegistryProfile, registryProfiles } from "../registry-profiles.ts";
import { startRegistryServer } from "../registry-server.ts";
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

repositoryContract("crane's registry", async () => {
  const { name, stop } = await startCraneRegistry();
  const subject = await inRegistry(Promise.resolve({ host: name, close: stop }), { mounts: false });
  return { ...subject, sharesBlobs: true, removes: "digest", checks: false };
});

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
  { what: "that has uploads sent to another host", switches: { uploads: "host" }, mounts: true },
  { what: "that redirects downloads", switches: { redirectsBlobs: true }, mounts: true },
  { what: "that is busy now and then", switches: { busyEvery: 7 }, mounts: true },
  { what: "that answers mounts with 401", switches: { mount: 401 }, mounts: false },
  { what: "that answers mounts with 403", switches: { mount: 403 }, mounts: false },
  { what: "that answers mounts with 404", switches: { mount: 404 }, mounts: false },
  { what: "that answers mounts with 405", switches: { mount: 405 }, mounts: false },
];

for (const { what, switches, mounts } of faulty) {
  repositoryContract(`a registry ${what}`, () => inRegistry(startRegistryServer(switches), { mounts }));
}

for (const profile of registryProfiles) {
  repositoryContract(`a registry like ${profile.name}`, () => startLike(profile), profile.families);
}

describe("a registry like", () => {
  it.each(registryProfiles.filter(({ switches }) => switches.others !== undefined))(
    "$name does not say whether another user's repository is there",
    async (profile) => {
      const subject = await startLike(profile, "others");

      const fetching = subject.create().fetchManifest("latest");

      const code = profile.switches.others === 401 ? "REGISTRY_UNAUTHORIZED" : "REGISTRY_DENIED";
      await expect(fetching).rejects.toMatchObject({ code, hint: expect.stringMatching(/credentials|right/) });
      await subject.close();
    },
  );

  it.each(registryProfiles.filter(({ switches }) => switches.refusesOci))(
    "$name says that it takes no OCI manifest",
    async (profile) => {
      const subject = await startLike(profile);
      const { digest, bytes } = { digest: digestOf("{}"), bytes: Buffer.from("{}") };

      const pushing = subject.create().pushManifest("1", { mediaType: mediaTypes.oci.manifest, digest, bytes });

      await expect(pushing).rejects.toMatchObject({
        code: "REGISTRY_PROTOCOL",
        message: expect.stringContaining("415 MANIFEST_INVALID"),
      });
      await subject.close();
    },
  );
});

async function startLike({ switches, mounts }: RegistryProfile, folder?: string): Promise<RepositorySubject> {
  const server = await startRegistryServer(switches);
  const subject = await inRegistry(Promise.resolve(server), { mounts, login: switches.login, folder });
  const close = async () => {
    await subject.close();
    expect(server.leaks).toEqual([]);
    expect(server.requests.filter(isUnsupported)).toEqual([]);
  };
  return { ...subject, removes: switches.removes ?? true, close };
}

/** What not every registry does, so that it may not be asked for: lists, chunks, and HEAD of a manifest. */
function isUnsupported({ method, path }: ServedRequest): boolean {
  const isHead = method === "HEAD" && path.includes("/manifests/");
  return isHead || method === "PATCH" || /\/(?:tags\/list|referrers\/|_catalog)/.test(path);
}

interface Place {
  readonly mounts: boolean;
  readonly login?: RegistrySwitches["login"];
  readonly folder?: string | undefined;
}

async function inRegistry(
  starting: Promise<{ readonly host: string; close(): Promise<void> }>,
  { mounts, login, folder = "team" }: Place,
): Promise<RepositorySubject> {
  const { host, close } = await starting;
  const config = await mkdtemp(join(tmpdir(), "layerwise-config-"));
  const auth = Buffer.from(`${user.name}:${user.password}`).toString("base64");
  const entry = login?.grant === "identity-token" ? { identitytoken: user.identityToken } : { auth };
  await writeFile(join(config, "config.json"), JSON.stringify(login === undefined ? {} : { auths: { [host]: entry } }));
  const repositories = open({ DOCKER_CONFIG: config });
  return {
    create: numbered((number) => repositories.inRegistry({ host, path: `${folder}/app-${number}` })),
    mounts,
    async close() {
      await repositories.close();
      await close();
      await rm(config, { recursive: true });
    },
  };
}

function open(environment: Readonly<Record<string, string>> = {}): OpenRepositories {
  const clock = { now: () => 0, ticks: () => performance.now() };
  return createRepositories({ clock, environment: { HOME: "/nonexistent", ...environment } });
}

function numbered<T>(create: (number: number) => T): () => T {
  let number = 0;
  return () => create(number++);
}
