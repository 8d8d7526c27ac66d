// SPDX-License-Identifier: Apache-2.0
import { LabError } from "../host/lab-error.ts";
import { type MediaTypeFamily, mediaTypes, type Platform, sha256 } from "../image/document.ts";
import { hostPlatform } from "../image/image.ts";
import { type HttpAnswer, type HttpRequest, httpRequest } from "../registry/http.ts";
import type { RegistryPlace } from "../registry/registry.ts";

/** A compressed layer that can be read more than once. */
export interface BaseLayer {
  readonly digest: string;
  readonly diffId: string;
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

/** An image to push. */
export interface BaseContents {
  readonly layers: readonly BaseLayer[];
  /** The runtime config. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** What to push an image as. */
export interface PushOptions {
  readonly repository?: string | undefined;
  /** `1` by default. */
  readonly tag?: string | undefined;
  /** Docker's schema 2 by default, as what most bases still are. */
  readonly family?: MediaTypeFamily | undefined;
  /** This machine's by default. */
  readonly platform?: Platform | undefined;
}

/** Where to push an image. */
export interface PushTarget extends PushOptions {
  readonly registry: RegistryPlace;
}

/** Pushes an image to a registry over plain HTTP, and returns its reference. */
export async function pushImage(contents: BaseContents, target: PushTarget): Promise<string> {
  const { registry, repository = "base", tag = "1", family = "docker", platform = hostPlatform() } = target;
  const types = mediaTypes[family];
  const config = Buffer.from(JSON.stringify(configOf(contents, platform)));
  const manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, digest: sha256(config), size: config.length },
    layers: contents.layers.map(({ digest, size }) => ({ mediaType: types.layer, digest, size })),
  };
  const configBlob = { digest: sha256(config), size: config.length, open: () => once(config) };
  for (const blob of [...contents.layers, configBlob]) await pushBlob(blob, { registry, repository });
  await send(`/v2/${repository}/manifests/${tag}`, {
    registry,
    method: "PUT",
    headers: { "content-type": types.manifest },
    body: Buffer.from(JSON.stringify(manifest)),
    wanted: [201],
  });
  return `${registry.name}/${repository}:${tag}`;
}

function configOf({ layers, config }: BaseContents, platform: Platform): unknown {
  const created = "2024-01-01T00:00:00Z";
  return {
    created,
    ...platform,
    config,
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((_, index) => ({ created, created_by: `layer ${index} of the laboratory's base` })),
  };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#post-then-put */
async function pushBlob(
  blob: Omit<BaseLayer, "diffId">,
  { registry, repository }: { readonly registry: RegistryPlace; readonly repository: string },
): Promise<void> {
  const found = await send(`/v2/${repository}/blobs/${blob.digest}`, { registry, method: "HEAD", wanted: [200, 404] });
  if (found.status === 200) return;
  const started = await send(`/v2/${repository}/blobs/uploads/`, { registry, method: "POST", wanted: [202] });
  const place = new URL(started.headers.location ?? "", `http://${registry.name}`);
  place.searchParams.set("digest", blob.digest);
  const headers = { "content-type": "application/octet-stream", "content-length": blob.size };
  await send(place.href, { registry, method: "PUT", headers, body: blob.open(), wanted: [201] });
}

interface Sending extends HttpRequest {
  readonly registry: RegistryPlace;
  readonly wanted: readonly number[];
}

async function send(path: string, { registry, wanted, ...request }: Sending): Promise<HttpAnswer> {
  const url = new URL(path, `http://${registry.name}`).href;
  const answer = await httpRequest(url, { ...request, auth: registry.auth });
  if (wanted.includes(answer.status)) return answer;
  throw new LabError(`could not push a base image: ${request.method} ${url} gave ${answer.status} ${answer.body}`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
