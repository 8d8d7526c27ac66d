// SPDX-License-Identifier: Apache-2.0
import { mediaTypes, type RegistryPlace } from "../../../lab/src/index.ts";
import type { RegistryProxy } from "./registry-proxy.ts";

/** What the registry itself, without a proxy, says the digest of a manifest is. */
export async function digestOf({ name }: RegistryPlace, path: string): Promise<string | null> {
  const accept = [mediaTypes.docker.manifest, mediaTypes.oci.manifest].join(", ");
  const answer = await fetch(`http://${name}/v2/${path}`, { method: "HEAD", headers: { accept } });
  return answer.headers.get("docker-content-digest");
}

/** The digests of blobs whose uploads through a proxy ended well, as often as they did. */
export function uploads({ requests }: RegistryProxy): readonly string[] {
  return requests.flatMap(({ method, path, status }) => {
    const digest = method === "PUT" && status === 201 ? /[?&]digest=([^&]+)/.exec(path)?.[1] : undefined;
    return digest === undefined ? [] : [digest];
  });
}
