// SPDX-License-Identifier: Apache-2.0
import {
  type BaseLayer,
  layerOf,
  openRegistryImage,
  pushImage,
  type TarItem,
  tinyBase,
} from "../../../lab/src/index.ts";
import { digestOf } from "../../src/spec/digest.ts";
import type { BaseSpec, Entry } from "./corpus-case.ts";
import { contentOf } from "./corpus-context.ts";
import type { Site } from "./site.ts";

/** Where a base goes. */
export interface BasePlace {
  readonly repository: string;
  readonly tag: string;
}

/** Pushes a base image, in the place of one that is there, and returns its reference. */
export async function pushBase(site: Site, spec: BaseSpec, place: BasePlace): Promise<string> {
  const { registry } = site;
  const { layers, config } = spec.from === "tiny" ? await tiny(site) : { layers: [], config: {} };
  const added = spec.layers.map((entries) => layerOf(entries.map(tarItem)));
  const contents = { layers: [...layers, ...added], config: { ...config, ...spec.config } };
  const reference = await pushImage(contents, { registry, ...place, family: spec.family });
  if (Object.keys(spec.document).length > 0) await rewriteConfig(reference, { spec, place, name: registry.name });
  return reference;
}

interface TinyImage {
  readonly layers: readonly BaseLayer[];
  readonly config: Readonly<Record<string, unknown>>;
}

const tinies = new WeakMap<Site, Promise<TinyImage>>();

/** The layers of the laboratory's tiny base; packed once a site. */
async function tiny(site: Site): Promise<TinyImage> {
  const known = tinies.get(site) ?? readTiny(site);
  tinies.set(site, known);
  return await known;
}

async function readTiny({ registry }: Site): Promise<TinyImage> {
  const image = await openRegistryImage(await tinyBase(registry));
  const { config = {}, rootfs } = image.config;
  const layers = image.layers.map(({ claims, open }, index): BaseLayer => {
    const { digest = "", size = 0 } = claims;
    return { digest, size, open, diffId: rootfs?.diff_ids[index] ?? "" };
  });
  return { layers, config };
}

function tarItem(entry: Entry): TarItem {
  const { path, type, target, uid, gid, mtime, mode } = entry;
  const common = { uid, gid, mtime, mode: mode === undefined ? undefined : Number.parseInt(mode, 8) };
  const slash = path.lastIndexOf("/") + 1;
  switch (type) {
    case "directory":
      return { ...common, path: `${path}/`, type };
    case "whiteout":
      return { ...common, path: `${path.slice(0, slash)}.wh.${path.slice(slash)}`, type: "file", content: "" };
    case "opaque":
      return { ...common, path: `${path}/.wh..wh..opq`, type: "file", content: "" };
    case "symlink":
      return { ...common, path, type, linkPath: target };
    case "hardlink":
      return { ...common, path, type: "link", linkPath: target };
    case "file":
      return { ...common, path, type, content: contentOf(entry) };
    case "fifo":
      return { ...common, path, type };
    case "character":
      return { ...common, path, type, device: { major: 1, minor: 3 } };
    default:
      throw new Error(`a layer of the corpus has no ${type}`);
  }
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
