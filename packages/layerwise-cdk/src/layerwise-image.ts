// SPDX-License-Identifier: Apache-2.0
import { existsSync, statSync } from "node:fs";
import { isAbsolute, join, normalize, relative, resolve, sep } from "node:path";
import { Stack, Token } from "aws-cdk-lib";
import type { IRepository } from "aws-cdk-lib/aws-ecr";
import { ContainerImage } from "aws-cdk-lib/aws-ecs";
import type { Grant, IGrantable } from "aws-cdk-lib/aws-iam";
import { DockerImageCode } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { BaseImages } from "./base-images";
import type { BuildSecret } from "./build-secret";
import { ImagePlatform } from "./image-platform";
import type { ImagePublishRole } from "./image-publish-role";
import { ImageRepository } from "./image-repository";
import { ImageTag } from "./image-tag";
import { checkBuildArgs } from "./private/check-build-args";
import { checkConsumers } from "./private/check-consumers";
import { checkRepository } from "./private/check-repository";
import { contentHashOf } from "./private/content-hash";
import { ImagePlanFile } from "./private/image-plan";
import { lockedBases } from "./private/lock-file";
import { PinnedRepository } from "./private/pinned-repository";
import type { ImagePlan } from "./private/plan-file";
import { plannedSecrets } from "./private/planned-secrets";
import { refusal } from "./private/refuse";
import { placeOf, type RepositoryPlace, registryHost } from "./private/repository-place";
import { pathBelowSourceRoot, sourceRootContext } from "./private/source-root";

/** Properties of a `LayerwiseImage`. */
export interface LayerwiseImageProps {
  /** The build context. */
  readonly directory: string;

  /** Where the image goes: a repository of another stack, with a given name. */
  readonly repository: IRepository;

  /**
   * The Dockerfile, relative to the build context.
   *
   * @default "Dockerfile"
   */
  readonly file?: string;

  /**
   * The stage of the Dockerfile to build.
   *
   * @default - the last one
   */
  readonly target?: string;

  /**
   * The platforms to build for. With several, the tag names an index, which AWS Lambda does not take.
   *
   * @default - [ImagePlatform.LINUX_AMD64]
   */
  readonly platforms?: ImagePlatform[];

  /**
   * Values of the Dockerfile's ARGs, known at synth. They are visible in the image's history; secrets go into
   * `buildSecrets`.
   *
   * @default - none
   */
  readonly buildArgs?: { [name: string]: string };

  /**
   * Secrets for `RUN --mount=type=secret`, by their id.
   *
   * @default - none
   */
  readonly buildSecrets?: { [id: string]: BuildSecret };

  /**
   * How the tag that is deployed is chosen.
   *
   * @default ImageTag.contentHash()
   */
  readonly tag?: ImageTag;

  /**
   * Tags that move to each new image besides, such as `latest`. An `ImageRepository` must know them as well. Nothing is
   * deployed by them.
   *
   * @default - none
   */
  readonly floatingTags?: string[];

  /**
   * What the image is built on.
   *
   * @default BaseImages.lockFile()
   */
  readonly baseImages?: BaseImages;

  /**
   * The role that the build assumes to push, where the repository is in another account than the pipeline.
   *
   * @default - the build's own role pushes
   */
  readonly publishRole?: ImagePublishRole;
}

/** What Lambda may be told besides the image; see `EcrImageCodeProps` of `aws-lambda`. */
export interface LambdaCodeOptions {
  /**
   * Replaces the image's CMD.
   *
   * @default - the image's
   */
  readonly cmd?: string[];

  /**
   * Replaces the image's ENTRYPOINT.
   *
   * @default - the image's
   */
  readonly entrypoint?: string[];

  /**
   * Replaces the image's WORKDIR.
   *
   * @default - the image's
   */
  readonly workingDirectory?: string;
}

const brand = Symbol.for("layerwise-cdk.image");

/**
 * One image, as synth knows it. It belongs into the stack that uses the image; an `ImageBuildStep` builds it before that
 * stack is deployed.
 */
export class LayerwiseImage extends Construct {
  /** Whether a construct is an image. */
  public static isLayerwiseImage(construct: unknown): construct is LayerwiseImage {
    return construct !== null && typeof construct === "object" && brand in construct;
  }

  /** The tag that is deployed. */
  public readonly imageTag: string;

  /** Repository and tag, as a task or a function names it. */
  public readonly imageUri: string;

  /** The digest of all inputs that synth knows, 64 hexadecimal digits. */
  public readonly contentHash: string;

  /** The platforms to build for. */
  public readonly platforms: ImagePlatform[];

  /** The role that the build assumes to push. */
  public readonly publishRole?: ImagePublishRole;

  /** @internal */
  public readonly _place: RepositoryPlace;

  private readonly plan: ImagePlan;
  private readonly repository: PinnedRepository;
  private readonly floatingTags: string[];
  private isForLambda = false;

  public constructor(scope: Construct, id: string, props: LayerwiseImageProps) {
    super(scope, id);
    Object.defineProperty(this, brand, { value: true });
    this.platforms = props.platforms ?? [ImagePlatform.LINUX_AMD64];
    this.publishRole = props.publishRole;
    this.floatingTags = props.floatingTags ?? [];
    const source = checkedSource(props, this);
    checkRepository(props.repository, this);
    checkFloatingTags(props);
    checkBuildArgs(props.buildArgs ?? {}, this);
    const settings = settingsOf(props, { ...source, platforms: this.platforms });
    const { directory, file } = source;
    this.contentHash = contentHashOf({ directory, file, settings });
    const tag = props.tag ?? ImageTag.contentHash();
    this.imageTag = tag.value ?? `content-${this.contentHash.slice(0, 40)}`;
    this._place = placeOf(props.repository);
    this.imageUri = `${registryHost(this._place, this)}/${this._place.name}:${this.imageTag}`;
    this.repository = new PinnedRepository(this, "Repository", { place: this._place, actual: props.repository });
    this.plan = {
      version: 1,
      path: this.node.path,
      directory: source.below,
      file,
      ...settings,
      repository: this._place,
      publishRole: props.publishRole?._planned(this),
      tag: this.imageTag,
      tagKind: tag.kind as ImagePlan["tagKind"],
      floatingTags: this.floatingTags,
    };
    new ImagePlanFile(this, "Plan", () => this._plan);
    this.node.addValidation({ validate: () => checkConsumers(this, props.repository) });
  }

  /** The image as the code of a `DockerImageFunction`. */
  public toLambdaCode(options: LambdaCodeOptions = {}): DockerImageCode {
    const what = `use ${this.node.path} as the code of a function`;
    if (this.platforms.length > 1) {
      throw refusal({
        what,
        why: `AWS Lambda takes images of one platform, and this one has ${this.platforms.length}`,
        fix: "give platforms: [ImagePlatform.LINUX_AMD64] or [ImagePlatform.LINUX_ARM64], and make an image for each",
      });
    }
    this.refuseFloating(what);
    const region = Stack.of(this).region;
    if (this._place.region !== undefined && !Token.isUnresolved(region) && this._place.region !== region) {
      throw refusal({
        what,
        why: `AWS Lambda takes images of its own Region, ${region}, and the repository is in ${this._place.region}`,
        fix: "make an ImageRepository in each Region, and copy the image with an ImagePromotionStep",
      });
    }
    this.isForLambda = true;
    return DockerImageCode.fromEcr(this.repository, { ...options, tagOrDigest: this.imageTag });
  }

  /** The image for a container of Amazon ECS. */
  public toEcsImage(): ContainerImage {
    this.refuseFloating(`use ${this.node.path} in a task`);
    return ContainerImage.fromEcrRepository(this.repository, this.imageTag);
  }

  /** Lets somebody pull the image. */
  public grantPull(grantee: IGrantable): Grant {
    return this.repository.grantPull(grantee);
  }

  /** @internal */
  public get _plan(): ImagePlan {
    return this.isForLambda ? { ...this.plan, isForLambda: true } : this.plan;
  }

  private refuseFloating(what: string): void {
    if (this.imageTag !== "latest" && !this.floatingTags.includes(this.imageTag)) return;
    throw refusal({
      what,
      why: `the tag ${this.imageTag} moves, and what is deployed by a tag that stays the same is never updated`,
      fix: "leave the tag to ImageTag.contentHash(), and name this one in floatingTags if it should follow",
    });
  }
}

interface Source {
  /** Absolute. */
  readonly directory: string;
  /** Relative to the directory. */
  readonly file: string;
  /** The directory, relative to the root of the source. */
  readonly below: string;
}

function checkedSource({ directory: given, file: named }: LayerwiseImageProps, scope: Construct): Source {
  const directory = resolve(given);
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    throw refusal({
      what: `build ${scope.node.path}`,
      why: `there is no directory ${directory}`,
      fix: "give the directory of the build context; a relative one begins at the folder that synth runs in",
    });
  }
  const file = normalize(named ?? "Dockerfile");
  if (isAbsolute(file) || relative(directory, join(directory, file)).startsWith("..")) {
    throw refusal({
      what: `build ${scope.node.path}`,
      why: `the Dockerfile ${file} is not in the build context`,
      fix: "name a file in it, relative to it",
    });
  }
  if (!existsSync(join(directory, file))) {
    throw refusal({
      what: `build ${scope.node.path}`,
      why: `there is no ${file} in ${directory}`,
      fix: "write one, or name it with file",
    });
  }
  const below = pathBelowSourceRoot(directory, {
    named: scope.node.tryGetContext(sourceRootContext) as string | undefined,
    codeBuild: process.env["CODEBUILD_SRC_DIR"],
  });
  return { directory, file: file.split(sep).join("/"), below };
}

function checkFloatingTags({ repository, floatingTags = [] }: LayerwiseImageProps): void {
  if (!(repository instanceof ImageRepository)) return;
  const missing = floatingTags.filter((tag) => !repository.floatingTags.includes(tag));
  if (missing.length === 0) return;
  throw refusal({
    what: `move the tag ${missing.join(", ")} in ${repository.node.path}`,
    why: "the repository's tags are immutable except for its floatingTags",
    fix: `give the ImageRepository floatingTags: [${missing.map((tag) => `"${tag}"`).join(", ")}]`,
  });
}

/** The inputs besides the files, in the form of the plan. */
function settingsOf(
  props: LayerwiseImageProps,
  { directory, file, platforms }: { directory: string; file: string; platforms: readonly ImagePlatform[] },
): Pick<ImagePlan, "target" | "platforms" | "buildArgs" | "secrets" | "bases"> {
  const { target, buildArgs = {}, baseImages = BaseImages.lockFile() } = props;
  if (platforms.length === 0) {
    throw refusal({ what: "build an image", why: "platforms is empty", fix: "give one, or leave it out" });
  }
  const names = platforms.map(({ platform }) => platform);
  const image = { directory, file, target, buildArgs, platforms: names };
  const bases = baseImages.isLocked ? lockedBases({ ...image, lockFile: baseImages.file }) : {};
  return { target, platforms: names, buildArgs, secrets: plannedSecrets(props.buildSecrets ?? {}), bases };
}
