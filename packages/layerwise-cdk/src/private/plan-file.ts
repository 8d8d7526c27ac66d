// SPDX-License-Identifier: Apache-2.0

/** A repository of Amazon ECR, as far as synth knows it. */
export interface PlannedRepository {
  readonly name: string;
  /** Left out if it is the account that the build runs in. */
  readonly account?: string;
  /** Left out if it is the Region that the build runs in. */
  readonly region?: string;
}

/** A role that the build assumes to reach a repository. */
export interface PlannedRole {
  readonly arn: string;
  readonly externalId: string;
}

/** Where a secret is; never what it says. */
export interface PlannedSecret {
  /** The `id` of `RUN --mount=type=secret`. */
  readonly id: string;
  readonly service: "secretsmanager" | "ssm";
  /** Name or ARN. */
  readonly name: string;
  /** A field of a secret that is JSON. */
  readonly field?: string;
}

/**
 * What one image is made of, written into the cloud assembly at synth and read by the build. It is not part of any
 * template, so that a changed image does not change the pipeline.
 */
export interface ImagePlan {
  /** Raised when a field changes its meaning. */
  readonly version: 1;
  /** The path of the construct. */
  readonly path: string;
  /** The build context, relative to the root of the source; with slashes. */
  readonly directory: string;
  /** Relative to the build context. */
  readonly file: string;
  readonly target?: string;
  /** At least one, as `linux/amd64`. */
  readonly platforms: readonly string[];
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly secrets: readonly PlannedSecret[];
  readonly repository: PlannedRepository;
  readonly publishRole?: PlannedRole;
  readonly tag: string;
  /** Whether the tag stands for the inputs, for a commit, or for what the author says. */
  readonly tagKind: "content" | "commit" | "fixed";
  readonly floatingTags: readonly string[];
  /** Whether a function is made from the image: AWS Lambda does not take every form of manifest. */
  readonly isForLambda?: boolean;
  /** Digests by the name of a base image as the Dockerfile has it. */
  readonly bases: Readonly<Record<string, string>>;
}

/** The file of an image, in the folder of its stage's assembly. */
export function planFileName(id: string): string {
  return `layerwise-image-${id}.json`;
}

/** The runner, beside the files of the images. */
export const runnerFileName = "layerwise-build.mjs";
