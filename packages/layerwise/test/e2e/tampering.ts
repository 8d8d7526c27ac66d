// SPDX-License-Identifier: Apache-2.0
import { gunzipSync, gzipSync } from "node:zlib";
import { mediaTypes } from "../../../lab/src/index.ts";
import type { RawDescriptor, RawManifest, RawRepository } from "./raw-repository.ts";
import type { CannedAnswer, RuledRequest } from "./registry-proxy.ts";

/** What is there to tamper with: the checkpoint after a RUN, and one of a later step. */
export interface Target {
  readonly repository: RawRepository;
  readonly tag: string;
  readonly manifest: RawManifest;
  readonly later: RawManifest;
}

/** One way to tamper with a checkpoint. */
export interface Tampering {
  readonly name: string;
  /** Changes the repository, or gives a rule for the way there. */
  tamper(target: Target): Promise<Rule | undefined>;
  /** What the reason for the refusal says. */
  readonly says: RegExp;
}

type Rule = (request: RuledRequest) => CannedAnswer | undefined;

const keyAnnotation = "io.layerwise.cache.key";
const filesAnnotation = "io.layerwise.cache.files";

/** The checkpoint whose instruction begins so. */
export async function findCheckpoint(repository: RawRepository, instruction: string) {
  for (const tag of await repository.tags()) {
    if (!/^lwcache-[0-9a-f]{40}$/.test(tag)) continue;
    const manifest = await repository.manifest(tag);
    if (manifest.annotations?.["io.layerwise.cache.instruction"]?.startsWith(instruction)) return { tag, manifest };
  }
  throw new Error(`${repository.name} has no checkpoint of ${instruction}`);
}

/** Ways to make a checkpoint unusable. */
export const tamperedCheckpoints: readonly Tampering[] = [
  {
    name: "says another key",
    says: /it says another key than its tag/,
    tamper: async ({ repository, tag, manifest }) => {
      const key = (manifest.annotations[keyAnnotation] as string).replace(/.$/, (last) => (last === "0" ? "1" : "0"));
      await repository.putManifest(tag, {
        ...manifest,
        annotations: { ...manifest.annotations, [keyAnnotation]: key },
      });
      return undefined;
    },
  },
  {
    name: "says no key",
    says: /it does not say its key/,
    tamper: async ({ repository, tag, manifest: { annotations: _, ...rest } }) => {
      await repository.putManifest(tag, rest);
      return undefined;
    },
  },
  {
    name: "is the one of another step",
    says: /it says another key than its tag/,
    tamper: async ({ repository, tag, later }) => {
      await repository.putManifest(tag, later);
      return undefined;
    },
  },
  {
    name: "is an index",
    says: /could not read the manifest of .*: /,
    tamper: async ({ repository, tag }) => {
      const { index } = mediaTypes.oci;
      await repository.putManifest(tag, { schemaVersion: 2, mediaType: index, manifests: [] }, index);
      return undefined;
    },
  },
  {
    name: "has a media type that nobody knows",
    says: /could not read the manifest of .*: its media type is application\/vnd\.example\+json/,
    tamper: async ({ tag, manifest }) => {
      const body = Buffer.from(JSON.stringify({ ...manifest, mediaType: "application/vnd.example+json" }));
      return canned(`/manifests/${tag}`, body, "application/vnd.example+json");
    },
  },
  {
    name: "is not what the registry announces",
    says: /could not fetch manifest .*: its digest is /,
    tamper: async ({ tag, manifest }) => {
      const rule = canned(`/manifests/${tag}`, Buffer.from(JSON.stringify(manifest)), mediaTypes.oci.manifest);
      const headers = { "docker-content-digest": `sha256:${"0".repeat(64)}` };
      return (request) => {
        const answer = rule(request);
        return answer && { ...answer, headers: { ...answer.headers, ...headers } };
      };
    },
  },
  {
    name: "lacks its config",
    says: /could not fetch blob sha256:/,
    tamper: async ({ repository, manifest }) => {
      await repository.deleteBlob(manifest.config.digest);
      return undefined;
    },
  },
  {
    name: "has other bytes as config",
    says: /could not read blob sha256:.*: its digest is /,
    tamper: async ({ repository, manifest: { config } }) => await flipped(repository, config),
  },
  {
    name: "has a config that is no JSON",
    says: /could not read the config of .*: it is no JSON/,
    tamper: async (target) => await withConfig(target, () => "{"),
  },
  {
    name: "lacks a layer",
    says: /its layer sha256:[0-9a-f]{64} is not in /,
    tamper: async ({ repository, manifest }) => {
      await repository.deleteBlob((manifest.layers.at(-1) as RawDescriptor).digest);
      return undefined;
    },
  },
  {
    name: "has a layer less than its config",
    says: /its config and its manifest disagree about its layers/,
    tamper: async ({ repository, tag, manifest }) => {
      await repository.putManifest(tag, { ...manifest, layers: manifest.layers.slice(0, -1) });
      return undefined;
    },
  },
  {
    name: "has a layer that is no tar",
    says: /it has layers of a kind that layerwise does not read/,
    tamper: async ({ repository, tag, manifest }) => {
      const layers = manifest.layers.map((layer) => ({ ...layer, mediaType: "application/vnd.example.layer" }));
      await repository.putManifest(tag, { ...manifest, layers });
      return undefined;
    },
  },
  {
    name: "stands on another base",
    says: /it stands on another base/,
    tamper: async (target) =>
      await withConfig(target, (config) => {
        const { rootfs, ...rest } = JSON.parse(config) as { rootfs: { type: string; diff_ids: readonly string[] } };
        const [, ...others] = rootfs.diff_ids;
        return JSON.stringify({ ...rest, rootfs: { ...rootfs, diff_ids: [`sha256:${"1".repeat(64)}`, ...others] } });
      }),
  },
  {
    name: "is for another platform",
    says: /it is for another platform/,
    tamper: async (target) =>
      await withConfig(target, (config) => JSON.stringify({ ...JSON.parse(config), architecture: "s390x" })),
  },
];

/** Ways to make the list of a checkpoint's files unusable. */
export const tamperedFiles: readonly Tampering[] = [
  {
    name: "is cut off",
    says: /could not decompress a document: Z_/,
    tamper: async (target) => await withFiles(target, (files) => files.subarray(0, files.length / 2)),
  },
  {
    name: "is no JSON",
    says: /could not read the layer files document of .*: it is no JSON/,
    tamper: async (target) => await withFiles(target, () => gzipSync("{")),
  },
  {
    name: "names directories that lead out",
    says: /could not read the layer files document of .*: a path leads out of the layer/,
    tamper: async (target) => await withDirectories(target, [["../../etc", [["passwd", "f777"]]]]),
  },
  {
    name: "names files that lead out",
    says: /could not read the layer files document of /,
    tamper: async (target) => await withDirectories(target, [["etc", [["../../passwd", "f777"]]]]),
  },
  {
    name: "is about other layers",
    says: /it lists the files of other layers/,
    tamper: async (target) =>
      await withFiles(target, (files) => {
        const { layers, ...rest } = documentOf(files);
        return gzipSync(JSON.stringify({ ...rest, layers: layers.slice(1) }));
      }),
  },
  {
    name: "is gone",
    says: /could not fetch blob sha256:/,
    tamper: async ({ repository, manifest }) => {
      await repository.deleteBlob(filesOf(manifest).digest);
      return undefined;
    },
  },
  {
    name: "has other bytes",
    says: /could not read blob sha256:.*: its digest is /,
    tamper: async ({ repository, manifest }) => await flipped(repository, filesOf(manifest)),
  },
];

/** Answers with other bytes of the same number than the blob's. */
export async function flipped(repository: RawRepository, { digest, mediaType }: RawDescriptor): Promise<Rule> {
  const bytes = await repository.blob(digest);
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
  return canned(`/blobs/${digest}`, bytes, mediaType);
}

function canned(path: string, body: Uint8Array, mediaType: string): Rule {
  const headers = { "content-type": mediaType, "content-length": String(body.length) };
  return (request) =>
    request.method === "GET" && request.path.endsWith(path) ? { status: 200, headers, body } : undefined;
}

async function withConfig(
  { repository, tag, manifest }: Target,
  change: (config: string) => string,
): Promise<undefined> {
  const config = change((await repository.blob(manifest.config.digest)).toString("utf8"));
  const descriptor = await repository.putBlob(Buffer.from(config), manifest.config.mediaType);
  await repository.putManifest(tag, { ...manifest, config: descriptor });
}

/** Also where it is looked for by the layers alone. */
async function withFiles(
  { repository, tag, manifest }: Target,
  change: (files: Buffer) => Uint8Array,
): Promise<undefined> {
  const { digest: before, mediaType } = filesOf(manifest);
  const { digest, size } = await repository.putBlob(change(await repository.blob(before)), mediaType);
  const annotations = { ...manifest.annotations, [filesAnnotation]: `${digest} ${size}` };
  await repository.putManifest(tag, { ...manifest, annotations });
  await repository.deleteBlob(before);
}

async function withDirectories(target: Target, directories: unknown): Promise<undefined> {
  return await withFiles(target, (files) => {
    const { layers, ...rest } = documentOf(files);
    return gzipSync(JSON.stringify({ ...rest, layers: layers.map((layer) => ({ ...layer, directories })) }));
  });
}

function documentOf(files: Uint8Array): { readonly layers: readonly object[] } {
  return JSON.parse(gunzipSync(files).toString("utf8")) as { layers: readonly object[] };
}

function filesOf({ annotations }: RawManifest): RawDescriptor {
  const [digest = "", size = ""] = (annotations[filesAnnotation] ?? "").split(" ");
  return { mediaType: "application/vnd.layerwise.files.v1+json+gzip", digest, size: Number(size) };
}
