// SPDX-License-Identifier: Apache-2.0
import { type Registry, startRegistry } from "../../lab/src/index.ts";
import { digestOf } from "../src/ecr/manifest.ts";
import { type AwsLocal, type AwsLocalOptions, startAwsLocal } from "../src/index.ts";

/** A stand-in in front of a registry of its own, and a clock that tests move. */
export interface Cloud {
  readonly aws: AwsLocal;
  readonly registry: Registry;
  /** Moves the clock on by milliseconds. */
  advance(time: number): void;
  /** A request to the registry at its address, with the first user's token. */
  ask(method: string, path: string, options?: AskOptions): Promise<Asked>;
  /** Uploads bytes as a blob. */
  pushBlob(repository: string, bytes: Buffer): Promise<string>;
  /** Pushes an image of one layer with this content. */
  pushImage(repository: string, tag: string, options?: ImageOptions): Promise<Asked>;
  close(): Promise<void>;
}

/** What is sent besides method and path. */
export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
  /** Without credentials. */
  readonly anonymous?: boolean | undefined;
}

/** An answer. */
export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Which image to push. */
export interface ImageOptions {
  readonly content?: string | undefined;
  readonly family?: "oci" | "docker" | undefined;
}

/** Media types of both families: manifest, config, layer. */
export const types = {
  oci: [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar+gzip",
  ],
  docker: [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
  ],
} as const;

/** Starts both. */
export async function startCloud(options: Partial<AwsLocalOptions> = {}): Promise<Cloud> {
  const registry = await startRegistry();
  let offset = 0;
  const aws = await startAwsLocal({ registry, clock: () => Date.now() + offset, ...options }).catch(async (error) => {
    await registry.stop();
    throw error;
  });
  const ask: Cloud["ask"] = async (method, path, { headers = {}, body, anonymous = false } = {}) => {
    const { name, auth } = aws.registryPlace;
    const login = `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString("base64")}`;
    const answer = await fetch(`http://${name}${path}`, {
      method,
      headers: { ...(anonymous ? {} : { authorization: login }), ...headers },
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    });
    return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
  };
  const pushBlob: Cloud["pushBlob"] = async (repository, bytes) => {
    const digest = digestOf(bytes);
    const started = await ask("POST", `/v2/${repository}/blobs/uploads/`);
    const location = started.headers.get("location") ?? "";
    const mark = location.includes("?") ? "&" : "?";
    const put = await ask("PUT", `${location}${mark}digest=${digest}`, { body: bytes });
    if (put.status !== 201) throw new Error(`a blob was refused: ${put.status} ${put.body}`);
    return digest;
  };
  return {
    aws,
    registry,
    advance: (time) => {
      offset += time;
    },
    ask,
    pushBlob,
    async pushImage(repository, tag, { content = "content", family = "oci" } = {}) {
      const [manifest, config, layer] = types[family];
      const blobs = [
        Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", content })),
        Buffer.from(content),
      ];
      const [configDigest, layerDigest] = [
        await pushBlob(repository, blobs[0] as Buffer),
        await pushBlob(repository, blobs[1] as Buffer),
      ];
      const document = {
        schemaVersion: 2,
        mediaType: manifest,
        config: { mediaType: config, digest: configDigest, size: blobs[0]?.length },
        layers: [{ mediaType: layer, digest: layerDigest, size: blobs[1]?.length }],
      };
      const headers = { "content-type": manifest };
      return await ask("PUT", `/v2/${repository}/manifests/${tag}`, { headers, body: JSON.stringify(document) });
    },
    async close() {
      await aws.close();
      await registry.stop();
    },
  };
}
