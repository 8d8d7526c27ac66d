// SPDX-License-Identifier: Apache-2.0
import { BatchGetImageCommand, ECRClient, GetAuthorizationTokenCommand, PutImageCommand } from "@aws-sdk/client-ecr";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { PlannedRepository, PlannedRole } from "../src/private/plan-file.ts";
import { awsText, RunnerError } from "./runner-error.ts";
import type { Settings } from "./settings.ts";

/** A repository of ECR as a build reaches it. */
export interface Destination {
  /** Host and name. */
  readonly reference: string;
  readonly host: string;
  /** The manifest behind a tag; undefined if there is none. */
  find(tag: string): Promise<FoundImage | undefined>;
  /** Writes a manifest or an index under a tag. */
  put(tag: string, manifest: { readonly text: string; readonly mediaType: string }): Promise<void>;
  /** User and password of the registry, in base64, as Docker's config has them. */
  token(): Promise<string>;
}

/** A manifest in a repository. */
export interface FoundImage {
  readonly digest: string;
  readonly manifest: string;
}

/** Opens a repository, with the rights of a role if it needs one. */
export async function openDestination(
  { repository, role }: { repository: PlannedRepository; role: PlannedRole | undefined },
  settings: Settings,
): Promise<Destination> {
  const { account = settings.account, region = settings.region, name } = repository;
  const host = `${account}.dkr.ecr.${region}.${settings.urlSuffix}`;
  const credentials = role === undefined ? undefined : await assume(role, settings);
  const ecr = new ECRClient({ region, ...(credentials === undefined ? {} : { credentials }) });
  const image = { registryId: account, repositoryName: name };
  return {
    host,
    reference: `${host}/${name}`,
    find: (tag) => findImage(ecr, { ...image, tag }),
    put: async (imageTag, { text, mediaType }) => {
      try {
        await ecr.send(
          new PutImageCommand({ ...image, imageTag, imageManifest: text, imageManifestMediaType: mediaType }),
        );
      } catch (cause) {
        throw new RunnerError(`could not write ${name}:${imageTag}: ${awsText(cause)}`, { cause, exitCode: 3 });
      }
    },
    token: () => registryToken(ecr, host),
  };
}

/** All manifest types, so that ECR hands out the bytes as they were pushed. */
const acceptedTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

async function findImage(
  ecr: ECRClient,
  { registryId, repositoryName, tag }: { registryId: string; repositoryName: string; tag: string },
): Promise<FoundImage | undefined> {
  try {
    const imageIds = [{ imageTag: tag }];
    const request = { registryId, repositoryName, imageIds, acceptedMediaTypes: acceptedTypes };
    const { images = [], failures = [] } = await ecr.send(new BatchGetImageCommand(request));
    const [found] = images;
    if (found?.imageId?.imageDigest !== undefined && found.imageManifest !== undefined) {
      return { digest: found.imageId.imageDigest, manifest: found.imageManifest };
    }
    const failure = failures.find(({ failureCode }) => failureCode !== "ImageNotFound");
    if (failure === undefined) return undefined;
    throw new Error(`${failure.failureCode}: ${failure.failureReason}`);
  } catch (cause) {
    throw new RunnerError(`could not look for ${repositoryName}:${tag} in ECR: ${awsText(cause)}`, {
      cause,
      exitCode: 3,
      hint: "deploy the stack of the repository before this step, and let the build's role read the repository",
    });
  }
}

/** A token for a registry of ECR's, as Docker's config holds it. */
export async function registryToken(ecr: ECRClient, host: string): Promise<string> {
  try {
    const { authorizationData = [] } = await ecr.send(new GetAuthorizationTokenCommand({}));
    const token = authorizationData[0]?.authorizationToken;
    if (token !== undefined) return token;
    throw new Error("AWS answered without a token");
  } catch (cause) {
    throw new RunnerError(`could not get a token for ${host}: ${awsText(cause)}`, { cause, exitCode: 3 });
  }
}

async function assume({ arn, externalId }: PlannedRole, { region }: Settings) {
  try {
    const sts = new STSClient({ region });
    const request = { RoleArn: arn, RoleSessionName: "layerwise-build", ExternalId: externalId };
    const { Credentials: given } = await sts.send(new AssumeRoleCommand(request));
    if (given?.AccessKeyId === undefined || given.SecretAccessKey === undefined || given.SessionToken === undefined) {
      throw new Error("AWS answered without credentials");
    }
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      sessionToken: given.SessionToken,
    };
  } catch (cause) {
    throw new RunnerError(`could not assume ${arn}: ${awsText(cause)}`, {
      cause,
      exitCode: 3,
      hint: "deploy the stack of the ImagePublishRole before this step, with this pipeline's account as trustedAccount",
    });
  }
}
