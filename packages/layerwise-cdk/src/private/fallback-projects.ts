// SPDX-License-Identifier: Apache-2.0
import type { IRepository } from "aws-cdk-lib/aws-ecr";
import type { IGrantable } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { EngineFallback } from "../engine-fallback";
import { ImagePlatform } from "../image-platform";
import type { LayerwiseImage } from "../layerwise-image";
import { startedProject } from "./build-project";
import { runnerCommands } from "./build-spec";
import { allow, grantImages } from "./image-access";
import { runnerFileName } from "./plan-file";

/** What fallback projects are made from. */
export interface FallbackOptions {
  readonly images: readonly LayerwiseImage[];
  readonly pullFrom?: readonly IRepository[];
  readonly fallback: EngineFallback;
  /** Where the build puts what the fallback needs. */
  readonly bucket: IBucket;
  /** Seconds that the build waits. */
  readonly waitSeconds: number;
  /** What a fallback's build is told. */
  readonly variables: (scope: Construct) => Record<string, string>;
  readonly encryptionKey?: IKey;
  readonly logGroup?: ILogGroup;
}

/** A project with an engine that a build without one may start. */
export interface FallbackProject {
  /** What the build without an engine must be told. */
  readonly variables: Readonly<Record<string, string>>;
  /** Lets a build hand over to it. */
  grantStart(grantee: IGrantable): void;
}

/** Objects of the artifact bucket that are ours; the build removes its own. */
const prefix = "layerwise";

/**
 * One project for each platform of the images, on a machine of that platform.
 *
 * A build without an engine packs the contexts into one object of the pipeline's artifact bucket, and starts the project
 * with that object as its source.
 */
export function fallbackProjects(scope: Construct, options: FallbackOptions): readonly FallbackProject[] {
  const platforms = [ImagePlatform.LINUX_AMD64, ImagePlatform.LINUX_ARM64].filter((platform) =>
    options.images.some((image) => image.platforms.includes(platform)),
  );
  return platforms.flatMap((platform) => {
    const compute = options.fallback._computeFor(platform);
    if (compute === undefined) return [];
    const name = platform === ImagePlatform.LINUX_ARM64 ? "Arm64" : "Amd64";
    const project = startedProject(scope, `Engine${name}`, {
      compute,
      commands: runnerCommands({ runner: `$CODEBUILD_SRC_DIR/${runnerFileName}`, words: ["continue"] }),
      variables: options.variables(scope),
      description: `builds what needs an engine, for ${platform.platform}; started by the build step`,
      encryptionKey: options.encryptionKey ?? options.bucket.encryptionKey,
      logGroup: options.logGroup,
    });
    const images = options.images.filter((image) => image.platforms.includes(platform));
    const secrets = images.flatMap(({ _plan }) => _plan.secrets);
    grantImages(project, scope, { images, secrets, pullFrom: options.pullFrom });
    options.bucket.grantRead(project, `${prefix}/*`);
    return [
      {
        variables: {
          [`LAYERWISE_FALLBACK_${name.toUpperCase()}`]: project.projectName,
          LAYERWISE_HAND_OVER: `${options.bucket.bucketName}/${prefix}`,
          LAYERWISE_HAND_OVER_SECONDS: `${options.waitSeconds}`,
        },
        grantStart: (grantee) => {
          allow(grantee, ["codebuild:StartBuild", "codebuild:BatchGetBuilds"], [project.projectArn]);
          allow(grantee, ["s3:PutObject", "s3:DeleteObject"], [options.bucket.arnForObjects(`${prefix}/*`)]);
          options.bucket.encryptionKey?.grant(grantee, "kms:GenerateDataKey");
        },
      },
    ];
  });
}
