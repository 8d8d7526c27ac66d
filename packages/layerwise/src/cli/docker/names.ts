// SPDX-License-Identifier: Apache-2.0
import { formatReference, parseReference } from "../../spec/reference.ts";
import type { ImageStore, StoredName } from "../../wire.ts";

/** The name of an image in the store: in full, with a tag. */
export function storeName(text: string): string {
  const { host, path, tag } = parseReference(text);
  return formatReference({ host, path, tag: tag ?? "latest" });
}

/** The short form that Docker shows: Docker Hub's host and `library/` left out. */
export function familiar(name: string): string {
  return name.replace(/^docker\.io\/(?:library\/)?/, "");
}

/** What an image without a name is kept under. */
export const untagged = "untagged-";

/** Whether a name in the store is an image's, and no checkpoint's. */
export function isImageName({ name }: StoredName): boolean {
  return name.includes("/") || name.startsWith(untagged);
}

/** The image that somebody means by a name, a digest or an ID; undefined if the store has none. */
export async function findImage(
  store: ImageStore,
  text: string,
  idOf: (image: StoredName) => Promise<string>,
): Promise<StoredName | undefined> {
  const images = (await store.names()).filter(isImageName);
  const hex = /^(?:sha256:)?([0-9a-f]{12,64})$/.exec(text)?.[1];
  if (hex !== undefined) {
    for (const image of images) {
      const ids = [image.digest, await idOf(image)];
      if (ids.some((id) => id.startsWith(`sha256:${hex}`))) return image;
    }
  }
  let name: string;
  try {
    name = storeName(text);
  } catch {
    return undefined;
  }
  const { digest } = parseReference(text);
  return images.find((image) => (digest === undefined ? image.name === name : image.digest === digest));
}
