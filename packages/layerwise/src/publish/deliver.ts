// SPDX-License-Identifier: Apache-2.0
import type { Emit } from "../event.ts";
import type { CallOptions, Ports } from "../ports.ts";
import type { Image } from "../produce/image.ts";
import type { Digest } from "../spec/digest.ts";
import { dockerArchive } from "./docker-archive.ts";
import { type Destination, manifestOf, moveTags, pushByDigest, pushContents } from "./publish.ts";

/** Where an image goes. */
export type Output =
  /** A repository of a registry, or an OCI layout directory. */
  | (Destination & { readonly kind: "repository" })
  /** An archive as `docker save` writes it. */
  | {
      readonly kind: "archive";
      readonly references: readonly string[];
      readonly write: (archive: AsyncIterable<Uint8Array>) => Promise<void>;
    }
  /** The engine's own store. */
  | { readonly kind: "load"; readonly references: readonly string[] };

/** What was delivered. */
export interface Delivered {
  /** Digest and size of the image's manifest. */
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly configDigest: Digest;
  /** What Docker calls it: the ID in the store that it was loaded into, else the config's digest. */
  readonly imageId: Digest;
  /** References that point to it now. */
  readonly references: readonly string[];
}

/**
 * Takes an image everywhere it should go: repositories first, in their order, then archives and the engine. Tags come
 * last of all, so that none has moved if anything before fails, and none ever points to anything incomplete.
 */
export async function deliver(
  image: Image,
  {
    options,
    ports,
    emit,
  }: {
    options: { outputs: readonly Output[]; annotations: ReadonlyMap<string, string> } & CallOptions;
    ports: Ports;
    emit: Emit;
  },
): Promise<Delivered> {
  const { outputs, annotations, signal } = options;
  const { digest, mediaType, bytes } = manifestOf(image, annotations);
  const publishing = { image, annotations, emit, signal };
  const destinations = outputs.filter((output) => output.kind === "repository");
  for (const { repository } of destinations) await pushContents(repository, publishing);
  // The first tag brings the manifest with it, unless something else can still fail before that.
  const tagsAtOnce = outputs.length === 1 && destinations[0]?.tags[0] !== undefined;
  if (!tagsAtOnce) for (const { repository } of destinations) await pushByDigest(repository, publishing);
  const others = outputs.filter((output) => output.kind !== "repository");
  let imageId = image.configDescriptor.digest;
  for (const output of others) {
    const archive = dockerArchive(image, { references: output.references, signal });
    if (output.kind === "archive") await output.write(archive);
    else imageId = await ports.engine.load(archive, { signal });
  }
  for (const destination of destinations) await moveTags(destination, publishing);
  const references = [
    ...destinations.flatMap(({ repository, tags }) => tags.map((tag) => `${repository.name}:${tag}`)),
    ...others.flatMap((output) => output.references),
  ];
  const configDigest = image.configDescriptor.digest;
  return { digest, mediaType, size: bytes.length, configDigest, imageId, references };
}
