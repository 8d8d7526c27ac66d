// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mediaTypes, type RegistryPlace } from "../../../lab/src/index.ts";

/** A descriptor as it stands in a manifest. */
export interface RawDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A manifest as it stands in a registry. */
export interface RawManifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: RawDescriptor;
  readonly layers: readonly RawDescriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** A repository without any check, as somebody sees it who wants to do harm. */
export interface RawRepository {
  readonly name: string;
  tags(): Promise<readonly string[]>;
  manifest(tag: string): Promise<RawManifest>;
  putManifest(tag: string, manifest: object, mediaType?: string): Promise<void>;
  blob(digest: string): Promise<Buffer>;
  putBlob(bytes: Uint8Array, mediaType: string): Promise<RawDescriptor>;
  deleteBlob(digest: string): Promise<void>;
}

/** Opens a repository of a registry over plain HTTP. */
export function openRawRepository({ name: host }: RegistryPlace, name: string): RawRepository {
  const call = async (path: string, init?: RequestInit) => {
    const url = new URL(path, `http://${host}/v2/${name}/`);
    const answer = await fetch(url, init);
    if (!answer.ok) throw new Error(`${init?.method ?? "GET"} ${url}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  return {
    name,
    tags: async () => ((await (await call("tags/list")).json()) as { tags: readonly string[] }).tags,
    async manifest(tag) {
      const answer = await call(`manifests/${tag}`, { headers: { accept: mediaTypes.oci.manifest } });
      return (await answer.json()) as RawManifest;
    },
    async putManifest(tag, manifest, mediaType = mediaTypes.oci.manifest) {
      const headers = { "content-type": mediaType };
      await call(`manifests/${tag}`, { method: "PUT", headers, body: JSON.stringify(manifest) });
    },
    blob: async (digest) => Buffer.from(await (await call(`blobs/${digest}`)).arrayBuffer()),
    async putBlob(bytes, mediaType) {
      const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      const begun = await call("blobs/uploads/", { method: "POST" });
      const location = begun.headers.get("location") ?? "";
      const body = Buffer.from(bytes);
      await call(`${location}&digest=${digest}`, {
        method: "PUT",
        headers: { "content-type": "application/octet-stream" },
        body,
      });
      return { mediaType, digest, size: bytes.length };
    },
    async deleteBlob(digest) {
      await call(`blobs/${digest}`, { method: "DELETE" });
    },
  };
}
