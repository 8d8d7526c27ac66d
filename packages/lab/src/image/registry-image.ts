// SPDX-License-Identifier: Apache-2.0
import { LabError } from "../host/lab-error.ts";
import { type Credentials, httpBody, httpRequest } from "../registry/http.ts";
import { mediaTypes, type Platform } from "./document.ts";
import { type BlobStore, type Image, openImage } from "./image.ts";

/** Who reads, and which image of an index. */
export interface RegistryImageOptions {
  readonly auth?: Credentials | undefined;
  readonly platform?: Platform | undefined;
}

const accept = Object.values(mediaTypes)
  .flatMap(({ index, manifest }) => [index, manifest])
  .join(", ");

/**
 * Opens an image in a registry over plain HTTP.
 *
 * @param reference `host:port/repository:tag` or `host:port/repository@digest`
 */
export async function openRegistryImage(reference: string, options: RegistryImageOptions = {}): Promise<Image> {
  const { host, repository, name } = split(reference);
  const base = `http://${host}/v2/${repository}`;
  const { auth } = options;
  const fetchManifest = async (which: string) => {
    const answer = await httpRequest(`${base}/manifests/${which}`, { auth, headers: { accept } });
    if (answer.status === 200) return answer;
    throw new LabError(`could not read ${reference}: status ${answer.status} for manifest ${which}`);
  };
  const store: BlobStore = {
    name: reference,
    manifest: async (digest) => (await fetchManifest(digest)).body,
    blob: (digest) => httpBody(`${base}/blobs/${digest}`, { auth }),
  };
  const { body, headers } = await fetchManifest(name);
  const claims = {
    mediaType: headers["content-type"],
    digest: name.startsWith("sha256:") ? name : (headers["docker-content-digest"] as string | undefined),
  };
  return openImage(store, { bytes: body, claims }, { platform: options.platform });
}

function split(reference: string): { readonly host: string; readonly repository: string; readonly name: string } {
  const match = /^([^/]+)\/(.+?)(?:@(sha256:[0-9a-f]{64})|:([^:/]+))$/.exec(reference);
  if (match === null) throw new LabError(`could not read ${reference}: it is no host/repository:tag or @digest`);
  const [, host = "", repository = "", digest, tag = ""] = match;
  return { host, repository, name: digest ?? tag };
}
