// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "../error.ts";
import { mayMove, type TagMutability } from "./tag-mutability.ts";

/** An image of a repository. */
export interface StoredImage {
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes of the manifest. */
  readonly manifest: Buffer;
  /** Bytes of the layers; for an index, of its manifest. */
  readonly size: number;
  /** Digests of the config, the layers, or the manifests of an index. */
  readonly refers: readonly string[];
  readonly artifactType: string | undefined;
  /** Milliseconds since 1970. */
  readonly pushedAt: number;
  pulledAt: number | undefined;
}

/** A repository and what is in it, besides the bytes of blobs. */
export interface StoredRepository {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  mutability: TagMutability;
  readonly scanOnPush: boolean;
  readonly encryption: Readonly<Record<string, unknown>>;
  lifecyclePolicy: string | undefined;
  /** The lifecycle policy that a preview was asked for. */
  previewedPolicy: string | undefined;
  /** By digest, in the order of their pushes. */
  readonly images: Map<string, StoredImage>;
  /** The digest of each tag. */
  readonly tags: Map<string, string>;
}

/** The registry of one account in one Region. */
export interface RegistryState {
  readonly account: string;
  readonly region: string;
  readonly repositories: Map<string, StoredRepository>;
  /** Account settings by name: `BLOB_MOUNTING`, `BASIC_SCAN_TYPE_VERSION` … */
  readonly settings: Map<string, string>;
}

/** The registry without any repository. */
export function emptyRegistry(account: string, region: string): RegistryState {
  return { account, region, repositories: new Map(), settings: new Map([["BLOB_MOUNTING", "DISABLED"]]) };
}

/** @throws {AwsError} RepositoryNotFoundException */
export function repositoryIn(state: RegistryState, name: string): StoredRepository {
  const repository = state.repositories.get(name);
  if (repository === undefined) throw new AwsError("RepositoryNotFoundException", missingRepository(state, name));
  return repository;
}

/** ECR's words for a repository that is not there. */
export function missingRepository(state: RegistryState, name: string): string {
  return `The repository with name '${name}' does not exist in the registry with id '${state.account}'`;
}

/** The tags of an image, in the order in which they were set. */
export function tagsOf(repository: StoredRepository, digest: string): readonly string[] {
  return [...repository.tags].filter(([, tagged]) => tagged === digest).map(([tag]) => tag);
}

/** Whether a blob is referred to by a manifest of the repository; only such blobs can be mounted elsewhere. */
export function refersTo(repository: StoredRepository, digest: string): boolean {
  return [...repository.images.values()].some((image) => image.digest === digest || image.refers.includes(digest));
}

/** Notes an image that was pushed, unless it is there. */
export function rememberImage(repository: StoredRepository, image: Omit<StoredImage, "pulledAt">): void {
  if (!repository.images.has(image.digest)) repository.images.set(image.digest, { ...image, pulledAt: undefined });
}

/** Sets a tag; false if it stands for another image and may not move. */
export function setTag(
  repository: StoredRepository,
  { tag, digest }: { readonly tag: string; readonly digest: string },
): boolean {
  const before = repository.tags.get(tag);
  if (before !== undefined && before !== digest && !mayMove(repository.mutability, tag)) return false;
  repository.tags.set(tag, digest);
  return true;
}
