// SPDX-License-Identifier: Apache-2.0

/** What a manifest or an index refers to and a registry does not hold; undefined if everything is there. */
export function missingReference(
  manifest: Uint8Array,
  isHeld: (digest: `sha256:${string}`) => boolean,
): string | undefined {
  const { config, layers = [], manifests = [] } = JSON.parse(Buffer.from(manifest).toString("utf8")) as References;
  const digests = [...(config === undefined ? [] : [config]), ...layers, ...manifests].map(({ digest }) => digest);
  return digests.find((digest) => !isHeld(digest));
}

interface References {
  readonly config?: { readonly digest: `sha256:${string}` };
  readonly layers?: readonly { readonly digest: `sha256:${string}` }[];
  readonly manifests?: readonly { readonly digest: `sha256:${string}` }[];
}
