// SPDX-License-Identifier: Apache-2.0
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import {
  ImageTagMutabilityExclusionFilter,
  type LifecycleRule,
  Repository,
  RepositoryEncryption,
  TagMutability,
  TagStatus,
} from "aws-cdk-lib/aws-ecr";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import { refusal } from "./private/refuse";

/** What every checkpoint's tag begins with; `docs/checkpoints.md`. */
const cachePrefix = "lwcache-";

/** Where an engine pushes to, before the image gets its own tags. */
const incomingTag = `${cachePrefix}incoming`;

/** Filters of a repository, at most. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html */
const maxFilters = 5;

/** Properties of an `ImageRepository`. */
export interface ImageRepositoryProps {
  /** The name. It must be given: builds use it before and beside CloudFormation. */
  readonly repositoryName: string;

  /**
   * Tags that may move, such as `latest`. All others, except those of the cache, can be written once only.
   *
   * @default - none
   */
  readonly floatingTags?: string[];

  /**
   * How long a checkpoint is kept after it was pushed. What is gone is made again.
   *
   * @default Duration.days(30)
   */
  readonly cacheMaxAge?: Duration;

  /**
   * How long an image that has lost its last tag is kept: long enough for a rollback to the one that `latest` left.
   *
   * @default Duration.days(14)
   */
  readonly untaggedMaxAge?: Duration;

  /**
   * The key that encrypts the images, of AWS KMS.
   *
   * @default - Amazon ECR's own encryption, AES-256
   */
  readonly encryptionKey?: IKey;

  /**
   * What becomes of the repository when its stack is deleted.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Whether the images are deleted with the repository; needs `RemovalPolicy.DESTROY`.
   *
   * @default false
   */
  readonly emptyOnDelete?: boolean;
}

/**
 * A repository for images and their checkpoints.
 *
 * Tags are immutable except for the cache's (`lwcache-*`) and the floating ones; images are scanned on push. Checkpoints
 * and untagged images expire by age. Tagged images never do: an image that a function or a service runs, or that a
 * rollback needs, must not be gone.
 *
 * @stateful
 */
export class ImageRepository extends Repository {
  /** Tags that may move. */
  public readonly floatingTags: string[];

  public constructor(scope: Construct, id: string, props: ImageRepositoryProps) {
    const floatingTags = props.floatingTags ?? [];
    checkFloatingTags(floatingTags);
    super(scope, id, {
      repositoryName: props.repositoryName,
      imageScanOnPush: true,
      imageTagMutability: TagMutability.IMMUTABLE_WITH_EXCLUSION,
      imageTagMutabilityExclusionFilters: [`${cachePrefix}*`, ...floatingTags].map((pattern) =>
        ImageTagMutabilityExclusionFilter.wildcard(pattern),
      ),
      lifecycleRules: lifecycleRules(props),
      encryption: props.encryptionKey === undefined ? undefined : RepositoryEncryption.KMS,
      encryptionKey: props.encryptionKey,
      removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
      emptyOnDelete: props.emptyOnDelete,
    });
    this.floatingTags = floatingTags;
  }
}

/**
 * An image whose tags fit a rule is never expired by a later one. The first rule makes use of that: there is one image
 * with this tag, it may have a tag that is deployed as well, and the rule expires none.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
 */
function lifecycleRules({ cacheMaxAge, untaggedMaxAge }: ImageRepositoryProps): LifecycleRule[] {
  return [
    {
      rulePriority: 1,
      description: "what an engine pushed last is kept, since it may be deployed",
      tagStatus: TagStatus.TAGGED,
      tagPrefixList: [incomingTag],
      maxImageCount: 1,
    },
    {
      rulePriority: 2,
      description: "checkpoints of layerwise: what is gone is made again",
      tagStatus: TagStatus.TAGGED,
      tagPrefixList: [cachePrefix],
      maxImageAge: cacheMaxAge ?? Duration.days(30),
    },
    {
      rulePriority: 3,
      description: "images that have lost their last tag",
      tagStatus: TagStatus.UNTAGGED,
      maxImageAge: untaggedMaxAge ?? Duration.days(14),
    },
  ];
}

function checkFloatingTags(tags: readonly string[]): void {
  const wrong = tags.find((tag) => !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag));
  if (wrong !== undefined) {
    throw refusal({
      what: "make an image repository",
      why: `"${wrong}" is no tag`,
      fix: "name each floating tag exactly; a wildcard would make tags movable that are deployed",
    });
  }
  if (tags.length >= maxFilters) {
    throw refusal({
      what: "make an image repository",
      why: `Amazon ECR takes ${maxFilters} exclusions, one is the cache's, and there are ${tags.length} floating tags`,
      fix: `give at most ${maxFilters - 1} floating tags`,
    });
  }
}
