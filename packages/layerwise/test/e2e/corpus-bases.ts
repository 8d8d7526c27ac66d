// SPDX-License-Identifier: Apache-2.0
import {
  type BaseContents,
  type BaseLayer,
  layerOf,
  openRegistryImage,
  pushImage,
  tinyBase,
  treeBase,
} from "../../../lab/src/index.ts";
import { digestOf } from "../../src/spec/digest.ts";
import type { BaseSpec } from "./corpus-case.ts";
import { tarItem } from "./corpus-tar.ts";
import type { Site } from "./site.ts";

/** Where a base goes. */
export interface BasePlace {
  readonly repository: string;
  readonly tag: string;
}

/** Pushes a base image, in the place of one that is there, and returns its reference. */
export async function pushBase(site: Site, spec: BaseSpec, place: BasePlace): Promise<string> {
  const { registry } = site;
  const { layers, config } = spec.from === "nothing" ? { layers: [], config: {} } : await readShared(site, spec.from);
  const added = spec.layers.map((entries) => layerOf(entries.map(tarItem)));
  const contents = { layers: [...layers, ...added], config: { ...config, ...spec.config } };
  const reference = await pushImage(contents, { registry, ...place, family: spec.family });
  if (Object.keys(spec.document).length > 0) await rewriteConfig(reference, { spec, place, name: registry.name });
  return reference;
}

/** A base of the laboratory, as it is or with more on top. */
export type SharedBase = Exclude<BaseSpec["from"], "nothing">;

const pushes = { tiny: tinyBase, tree: treeBase };
const pushed = new WeakMap<Site["registry"], Map<SharedBase, Promise<string>>>();

/**
 * Pushes a base of the laboratory, once a registry for all cases, and returns its reference. Debian's registry answers
 * 400 and 500 when one blob is pushed to one repository twice at a time.
 */
export async function sharedBase(site: Site, name: SharedBase): Promise<string> {
  const known = pushed.get(site.registry) ?? new Map<SharedBase, Promise<string>>();
  pushed.set(site.registry, known);
  const reference = known.get(name) ?? pushes[name](site.registry);
  known.set(name, reference);
  return await reference;
}

async function readShared(site: Site, name: SharedBase): Promise<BaseContents> {
  const image = await openRegistryImage(await sharedBase(site, name));
  const { config = {}, rootfs } = image.config;
  const layers = image.layers.map(({ claims, open }, index): BaseLayer => {
    const { digest = "", size = 0 } = claims;
    return { digest, size, open, diffId: rootfs?.diff_ids[index] ?? "" };
  });
  return { layers, config };
}

/** Replaces fields of an image's config document, for bases that no builder of today makes. */
async function rewriteConfig(
  reference: string,
  { spec, place, name }: { spec: BaseSpec; place: BasePlace; name: string },
): Promise<void> {
  const image = await openRegistryImage(reference);
  const document = (what: "config" | "manifest") => {
    const found = image.documents.find((one) => one.what === what);
    return JSON.parse(found?.bytes.toString("utf8") ?? "{}") as Record<string, unknown>;
  };
  const config = Buffer.from(JSON.stringify({ ...document("config"), ...spec.document }));
  const base = `http://${name}/v2/${place.repository}`;
  const { digest, size } = await pushConfig(base, config);
  const manifest = document("manifest");
  const described = { ...(manifest["config"] as object), digest, size };
  await answered(`${base}/manifests/${place.tag}`, {
    method: "PUT",
    headers: { "content-type": String(manifest["mediaType"]) },
    body: JSON.stringify({ ...manifest, config: described }),
  });
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#post-then-put */
async function pushConfig(base: string, bytes: Buffer): Promise<{ digest: string; size: number }> {
  const digest = digestOf(bytes);
  const started = await answered(`${base}/blobs/uploads/`, { method: "POST" });
  const place = new URL(started.headers.get("location") ?? "", base);
  place.searchParams.set("digest", digest);
  await answered(place.href, { method: "PUT", body: bytes, headers: { "content-type": "application/octet-stream" } });
  return { digest, size: bytes.length };
}

async function answered(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init);
  if (!answer.ok) throw new Error(`could not push a base of the corpus: ${init.method} ${url} gave ${answer.status}`);
  return answer;
}
