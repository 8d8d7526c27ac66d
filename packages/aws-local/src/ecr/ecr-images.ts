// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "../error.ts";
import { putBehind } from "./backing.ts";
import { type EcrCall, type Input, repositoryOf, textOf } from "./ecr-call.ts";
import { digestOf, manifestFor, readManifest } from "./manifest.ts";
import {
  type RegistryState,
  rememberImage,
  type StoredImage,
  type StoredRepository,
  setTag,
  tagsOf,
} from "./registry-state.ts";

interface ImageId {
  readonly imageDigest?: string;
  readonly imageTag?: string;
}

export function describeImages(call: EcrCall): object {
  const repository = repositoryOf(call);
  const { state, input } = call;
  const ids = input["imageIds"] === undefined ? undefined : idsOf(input);
  const { tagStatus } = (input["filter"] as { tagStatus?: string } | undefined) ?? {};
  const images = ids?.map((id) => imageOf(repository, id) ?? missingImage(id, { repository, state })) ?? [
    ...repository.images.values(),
  ];
  const wanted = images.filter(({ digest }) => hasTagStatus(repository, { digest, tagStatus }));
  return {
    imageDetails: wanted.map((image) => ({
      registryId: state.account,
      repositoryName: repository.name,
      imageDigest: image.digest,
      ...(tagsOf(repository, image.digest).length === 0 ? {} : { imageTags: tagsOf(repository, image.digest) }),
      imageSizeInBytes: image.size,
      imagePushedAt: image.pushedAt / 1000,
      imageManifestMediaType: image.mediaType,
      ...(image.artifactType === undefined ? {} : { artifactMediaType: image.artifactType }),
      ...(image.pulledAt === undefined ? {} : { lastRecordedPullTime: image.pulledAt / 1000 }),
    })),
  };
}

export function listImages(call: EcrCall): object {
  const repository = repositoryOf(call);
  const { input } = call;
  const { tagStatus } = (input["filter"] as { tagStatus?: string } | undefined) ?? {};
  const imageIds = [...repository.images.keys()]
    .filter((digest) => hasTagStatus(repository, { digest, tagStatus }))
    .flatMap((imageDigest) => {
      const tags = tagsOf(repository, imageDigest);
      return tags.length === 0 ? [{ imageDigest }] : tags.map((imageTag) => ({ imageDigest, imageTag }));
    });
  return { imageIds };
}

export function batchGetImage(call: EcrCall): object {
  const repository = repositoryOf(call);
  const { state, input, clock } = call;
  const accept = ((input["acceptedMediaTypes"] as readonly string[] | undefined) ?? ["*/*"]).join(",");
  const images: object[] = [];
  const failures: object[] = [];
  for (const imageId of idsOf(input)) {
    const image = imageOf(repository, imageId);
    if (image === undefined) {
      failures.push({ imageId, failureCode: "ImageNotFound", failureReason: "Requested image not found" });
      continue;
    }
    image.pulledAt = clock();
    const stored = { mediaType: image.mediaType, bytes: image.manifest };
    const { mediaType, bytes } = imageId.imageTag === undefined ? stored : manifestFor(stored, accept);
    images.push({
      registryId: state.account,
      repositoryName: repository.name,
      imageId: { imageDigest: image.digest, ...(imageId.imageTag === undefined ? {} : { imageTag: imageId.imageTag }) },
      imageManifest: bytes.toString("utf8"),
      imageManifestMediaType: mediaType,
    });
  }
  return { images, failures };
}

/** By tag, the tag goes, and the image with its last one; by digest, the image and all its tags. */
export function batchDeleteImage(call: EcrCall): object {
  const repository = repositoryOf(call);
  const imageIds: object[] = [];
  const failures: object[] = [];
  for (const imageId of idsOf(call.input)) {
    const image = imageOf(repository, imageId);
    if (image === undefined) {
      failures.push({ imageId, failureCode: "ImageNotFound", failureReason: "Requested image not found" });
      continue;
    }
    const all = tagsOf(repository, image.digest);
    const tags = imageId.imageTag === undefined ? all : [imageId.imageTag];
    for (const tag of tags) repository.tags.delete(tag);
    if (tags.length === all.length) repository.images.delete(image.digest);
    const gone = tags.length === 0 ? [{}] : tags.map((imageTag) => ({ imageTag }));
    imageIds.push(...gone.map((tag) => ({ imageDigest: image.digest, ...tag })));
  }
  return { imageIds, failures };
}

/** Stores a manifest whose blobs are in the repository, and tags it. */
export async function putImage(call: EcrCall): Promise<object> {
  const repository = repositoryOf(call);
  const { state, input, backing, clock } = call;
  const bytes = Buffer.from(textOf(input, "imageManifest"));
  const given =
    input["imageManifestMediaType"] ?? (JSON.parse(bytes.toString("utf8")) as { mediaType?: string }).mediaType;
  const mediaType = String(given);
  const tag = typeof input["imageTag"] === "string" ? input["imageTag"] : undefined;
  const digest = digestOf(bytes);
  const answer = await putBehind(backing, { state, repository, mediaType, bytes });
  answer.resume();
  if (answer.statusCode !== 201) {
    throw new AwsError("LayersNotFoundException", "The manifest refers to blobs that are not in the repository");
  }
  if (repository.images.has(digest) && (tag === undefined || repository.tags.get(tag) === digest)) {
    const what = `Image with digest '${digest}' and tag '${tag ?? "null"}'`;
    throw new AwsError(
      "ImageAlreadyExistsException",
      `${what} already exists in the repository with name '${repository.name}'`,
    );
  }
  rememberImage(repository, { ...readManifest(bytes, mediaType), digest, manifest: bytes, pushedAt: clock() });
  if (tag !== undefined && !setTag(repository, { tag, digest })) {
    const message = `The image tag '${tag}' already exists in the '${repository.name}' repository and cannot be overwritten because the repository is immutable.`;
    throw new AwsError("ImageTagAlreadyExistsException", message);
  }
  const imageId = { imageDigest: digest, ...(tag === undefined ? {} : { imageTag: tag }) };
  const imageManifest = bytes.toString("utf8");
  const image = {
    registryId: state.account,
    repositoryName: repository.name,
    imageId,
    imageManifest,
    imageManifestMediaType: mediaType,
  };
  return { image };
}

function idsOf(input: Input): readonly ImageId[] {
  return (input["imageIds"] as readonly ImageId[] | undefined) ?? [];
}

function imageOf(repository: StoredRepository, { imageDigest, imageTag }: ImageId): StoredImage | undefined {
  const digest = imageTag === undefined ? imageDigest : repository.tags.get(imageTag);
  if (imageDigest !== undefined && digest !== imageDigest) return undefined;
  return repository.images.get(digest ?? "");
}

function missingImage(
  id: ImageId,
  { repository, state }: { repository: StoredRepository; state: RegistryState },
): never {
  const shown = `{imageDigest:'${id.imageDigest ?? "null"}', imageTag:'${id.imageTag ?? "null"}'}`;
  const message = `The image with imageId ${shown} does not exist within the repository with name '${repository.name}' in the registry with id '${state.account}'`;
  throw new AwsError("ImageNotFoundException", message);
}

function hasTagStatus(
  repository: StoredRepository,
  { digest, tagStatus }: { digest: string; tagStatus: string | undefined },
): boolean {
  if (tagStatus !== "TAGGED" && tagStatus !== "UNTAGGED") return true;
  return tagsOf(repository, digest).length > 0 === (tagStatus === "TAGGED");
}
